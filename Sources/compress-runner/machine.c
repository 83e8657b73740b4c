// What the system tells of itself: files of Linux, each of which may be missing.
#define _GNU_SOURCE  // sched_getaffinity
#include "runner.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

size_t runner_processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return (size_t)CPU_COUNT(&set);
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (size_t)count : 1;
}

// The number in a file; `other` where there is none.
static int64_t number_in(const char *path, int64_t other) {
  FILE *file = fopen(path, "r");
  if (!file) return other;
  long long value;
  const int found = fscanf(file, "%lld", &value);
  fclose(file);
  return found == 1 ? value : other;
}

// The first line of a file that begins so, behind its colon.
static int field_of(const char *path, const char *name, char *text, size_t size) {
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  char line[512];
  int found = 0;
  while (!found && fgets(line, sizeof line, file)) {
    const char *value = strchr(line, ':');
    if (strncmp(line, name, strlen(name)) != 0 || !value) continue;
    value += 1 + strspn(value + 1, " \t");
    snprintf(text, size, "%.*s", (int)strcspn(value, "\n"), value);
    found = 1;
  }
  fclose(file);
  return found;
}

uint64_t runner_peak_bytes(void) {
  char text[64];
  if (field_of("/proc/self/status", "VmHWM", text, sizeof text)) return strtoull(text, NULL, 10) * 1024;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (uint64_t)usage.ru_maxrss * 1024;
}

int64_t runner_temperature(void) {
  int64_t hottest = INT64_MIN;
  for (int zone = 0; zone < 64; zone++) {
    char path[64];
    snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/temp", zone);
    const int64_t found = number_in(path, INT64_MIN);
    // Sensors that are not there say 0 or nonsense.
    if (found > 0 && found < 200000 && found > hottest) hottest = found;
  }
  return hottest;
}

uint64_t runner_clock(void) {
  int64_t fastest = 0;
  const long processors = sysconf(_SC_NPROCESSORS_CONF);
  for (long i = 0; i < processors && i < 1024; i++) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld/cpufreq/scaling_cur_freq", i);
    const int64_t found = number_in(path, 0);
    if (found > fastest) fastest = found;
  }
  char text[64];
  if (fastest == 0 && field_of("/proc/cpuinfo", "cpu MHz", text, sizeof text)) {
    fastest = (int64_t)(strtod(text, NULL) * 1000);
  }
  return fastest > 0 ? (uint64_t)fastest : 0;
}

void runner_machine_name(char *text, size_t size) {
  text[0] = 0;
  FILE *file = fopen("/proc/device-tree/model", "r");
  if (file) {
    text[fread(text, 1, size - 1, file)] = 0;
    fclose(file);
  }
  if (!text[0] && !field_of("/proc/cpuinfo", "model name", text, size)) snprintf(text, size, "unknown");
  for (char *c = text; *c; c++) {
    if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\') *c = '?';
  }
}
