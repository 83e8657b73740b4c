// Every row of the table of kernels against the scalar reference over awkward shapes: equal bits, nothing written
// outside the operands. In C, so that the same checks run inside the tests and cross-compiled for another CPU.
#pragma once
#include "ck-table.h"

// Checks a row on this machine. Returns how many comparisons failed, and in `message` the first of them.
size_t kc_check_row(const ck_row *row, char *message, size_t size);
// Whether the checks notice a kernel that does nothing in the place of the named function; false where no check calls
// it.
bool kc_notices(const char *function);
