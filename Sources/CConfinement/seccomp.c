// System calls that the program has no use for and an attacker would.
//
// What is refused says EPERM, so that a library that merely tries goes on without. Calls that came after this list was
// made say ENOSYS, as on an older kernel.
#if defined(__linux__)
#define _GNU_SOURCE
#include "walls.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

bool seccomp_is_available(void) {
#ifdef OWN_ARCHITECTURE
  uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#else
  return false;
#endif
}

#ifdef OWN_ARCHITECTURE

// Numbers that old headers lack are the same on all architectures.
enum {
  nr_pidfd_send_signal = 424, nr_io_uring_setup = 425, nr_io_uring_enter = 426, nr_io_uring_register = 427,
  nr_open_tree = 428, nr_move_mount = 429, nr_fsopen = 430, nr_fsconfig = 431, nr_fsmount = 432, nr_fspick = 433,
  nr_pidfd_open = 434, nr_clone3 = 435, nr_pidfd_getfd = 438, nr_process_madvise = 440, nr_mount_setattr = 442,
  nr_quotactl_fd = 443, nr_process_mrelease = 448, nr_fchmodat2 = 452, nr_setxattrat = 463, nr_removexattrat = 466,
  nr_open_tree_attr = 467, nr_file_setattr = 469, nr_last_known = 469,
};

// New programs, other processes, other users, the machine. What Landlock does not know about files by their names:
// modes, owners, times, attributes, watching.
static const int refused[] = {
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, nr_process_madvise,
    nr_process_mrelease, SYS_kcmp, nr_pidfd_open, nr_pidfd_getfd, nr_pidfd_send_signal, SYS_tkill, SYS_rt_sigqueueinfo,
    SYS_migrate_pages, SYS_move_pages,
    SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, nr_open_tree, nr_open_tree_attr,
    nr_move_mount, nr_fsopen, nr_fsconfig, nr_fsmount, nr_fspick, nr_mount_setattr,
    SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_mknodat, SYS_truncate, SYS_fchmodat, nr_fchmodat2, SYS_fchownat,
    SYS_setxattr, SYS_lsetxattr, SYS_removexattr, SYS_lremovexattr, nr_setxattrat, nr_removexattrat, nr_file_setattr,
    SYS_inotify_init1, SYS_fanotify_init, SYS_fanotify_mark,
    nr_io_uring_setup, nr_io_uring_enter, nr_io_uring_register, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
    SYS_keyctl, SYS_add_key, SYS_request_key, SYS_seccomp,
    SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semctl, SYS_msgget, SYS_msgctl, SYS_mq_open, SYS_mq_unlink,
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid,
    SYS_setfsgid, SYS_capset, SYS_setpgid, SYS_setsid, SYS_personality,
    SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_reboot, SYS_swapon,
    SYS_swapoff, SYS_acct, SYS_quotactl, nr_quotactl_fd, SYS_syslog, SYS_vhangup, SYS_sethostname, SYS_setdomainname,
    SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_nfsservctl, SYS_lookup_dcookie,
#ifdef __x86_64__
    SYS_fork, SYS_vfork, SYS_chmod, SYS_chown, SYS_lchown, SYS_mknod, SYS_utime, SYS_utimes, SYS_futimesat,
    SYS_inotify_init, SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_ustat, SYS_sysfs, SYS_create_module,
    SYS__sysctl,
#endif
};

static const int networking[] = {
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
};

enum { longest = 640 };

struct filter {
  struct sock_filter code[longest];
  unsigned short count;
};

static void add(struct filter *f, uint16_t code, uint32_t operand, uint8_t if_true, uint8_t if_false) {
  if (f->count < longest) f->code[f->count] = (struct sock_filter){code, if_true, if_false, operand};
  f->count++;
}

static void answer(struct filter *f, uint32_t action) { add(f, BPF_RET | BPF_K, action, 0, 0); }

static void refuse(struct filter *f, int error) { answer(f, SECCOMP_RET_ERRNO | (uint32_t)error); }

// The low half of an argument: what the kernel looks at where the argument is an int.
static void load_argument(struct filter *f, int index) {
  add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)index), 0, 0);
}

static void load_high(struct filter *f, int index) {
  add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)index + 4), 0, 0);
}

static void if_equal(struct filter *f, uint32_t value, uint8_t skip_otherwise) {
  add(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip_otherwise);
}

static void refuse_call(struct filter *f, int number, int error) {
  if_equal(f, (uint32_t)number, 1);
  refuse(f, error);
}

// A call is allowed when one argument has one of these values, or refused when it has.
static void if_argument(struct filter *f, int number, int index, const uint32_t *values, uint8_t count, bool allows) {
  if_equal(f, (uint32_t)number, (uint8_t)(3 + 2 * count - 1));
  load_argument(f, index);
  for (uint8_t i = 0; i < count; i++) {
    if_equal(f, values[i], 1);
    allows ? answer(f, SECCOMP_RET_ALLOW) : refuse(f, EPERM);
  }
  allows ? refuse(f, EPERM) : answer(f, SECCOMP_RET_ALLOW);
}

// A call is allowed when these bits of one argument are set, or when they are not.
static void if_bits(struct filter *f, int number, int index, uint32_t bits, bool must_be_set) {
  if_equal(f, (uint32_t)number, 4);
  load_argument(f, index);
  add(f, BPF_JMP | BPF_JSET | BPF_K, bits, must_be_set ? 0 : 1, must_be_set ? 1 : 0);
  answer(f, SECCOMP_RET_ALLOW);
  refuse(f, EPERM);
}

static void build(struct filter *f, const cconfine_rights *rights) {
  uint32_t own = (uint32_t)getpid();
  add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
  if_equal(f, OWN_ARCHITECTURE, 1);
  add(f, BPF_JMP | BPF_JA, 1, 0, 0);
  answer(f, SECCOMP_RET_KILL_PROCESS);
  add(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef __x86_64__
  // The numbers of x32, another door to the same calls.
  add(f, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
  answer(f, SECCOMP_RET_KILL_PROCESS);
#endif
  add(f, BPF_JMP | BPF_JGT | BPF_K, nr_last_known, 0, 1);
  refuse(f, ENOSYS);
  // The C library then uses clone, whose flags can be read.
  refuse_call(f, nr_clone3, ENOSYS);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) refuse_call(f, refused[i], EPERM);
  if (!rights->network) {
    for (size_t i = 0; i < sizeof networking / sizeof *networking; i++) refuse_call(f, networking[i], EPERM);
    // Memory that was written is never executed.
    if_bits(f, SYS_mmap, 2, PROT_EXEC, false);
    if_bits(f, SYS_mprotect, 2, PROT_EXEC, false);
    if_bits(f, SYS_pkey_mprotect, 2, PROT_EXEC, false);
  }
  // Threads, no processes.
  if_bits(f, SYS_clone, 0, CLONE_THREAD, true);
  if_argument(f, SYS_kill, 0, &own, 1, true);
  if_argument(f, SYS_tgkill, 0, &own, 1, true);
  if_argument(f, SYS_rt_tgsigqueueinfo, 0, &own, 1, true);
  const uint32_t self[] = {0, own};
  if_argument(f, SYS_prlimit64, 0, self, 2, true);
  // Signals to whoever is named as the owner of a descriptor.
  const uint32_t owning[] = {F_SETOWN, 10 /* F_SETSIG */, 15 /* F_SETOWN_EX */};
  if_argument(f, SYS_fcntl, 1, owning, 3, false);
  // Typing into the terminal, line disciplines, and owners again.
  const uint32_t controls[] = {0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */, 0x5423 /* TIOCSETD */,
                               0x8901 /* FIOSETOWN */, 0x8902 /* SIOCSPGRP */};
  if_argument(f, SYS_ioctl, 1, controls, 5, false);
  const uint32_t options[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE,
                              PR_GET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ,
                              0x53564d41 /* PR_SET_VMA */};
  if_argument(f, SYS_prctl, 0, options, sizeof options / sizeof *options, true);
  // Times of a file that is open, not of one by its name.
  if_equal(f, SYS_utimensat, 6);
  load_argument(f, 1);
  if_equal(f, 0, 3);
  load_high(f, 1);
  if_equal(f, 0, 1);
  answer(f, SECCOMP_RET_ALLOW);
  refuse(f, EPERM);
  answer(f, SECCOMP_RET_ALLOW);
}

int seccomp_confine(const cconfine_rights *rights) {
  struct filter filter = {.count = 0};
  build(&filter, rights);
  if (filter.count > longest) return E2BIG;
  struct sock_fprog program = {filter.count, filter.code};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}

#else

int seccomp_confine(const cconfine_rights *rights) { return (void)rights, ENOSYS; }

#endif
#endif
