// The checks as a program: every row that this build has and this CPU runs, which must be some of the named set.
#include <stdio.h>
#include <string.h>

#include "kernel-checks.h"

int main(int count, char **arguments) {
  const char *wanted = count > 1 ? arguments[1] : "";
  size_t rows, functions, checked = 0, failures = 0;
  const ck_row *row = ck_rows(&rows);
  for (; rows > 0; rows--, row++) {
    if (!ck_row_is_built(row)) continue;
    const char *set = ck_isa_name(row->isa), *family = ck_family_name(row->family);
    if ((row->needs & ~ck_host_features()) != 0) {
      fprintf(stderr, "NOT TESTED: %s of %s: this CPU lacks what it needs\n", family, set);
      continue;
    }
    char message[200];
    const size_t wrong = kc_check_row(row, message, sizeof message);
    if (wrong > 0) fprintf(stderr, "%s of %s: %zu comparisons fail, the first: %s\n", family, set, wrong, message);
    failures += wrong;
    if (strcmp(set, wanted) == 0) checked++;
  }
  const char *const *name = ck_function_names(&functions);
  for (; functions > 0; functions--, name++) {
    if (kc_notices(*name)) continue;
    fprintf(stderr, "no check notices when %s does nothing\n", *name);
    failures++;
  }
  if (checked == 0) fprintf(stderr, "no row of \"%s\" was checked\n", wanted);
  printf("%zu rows of %s equal the scalar reference: %s\n", checked, wanted, failures > 0 ? "no" : "yes");
  return failures > 0 || checked == 0;
}
