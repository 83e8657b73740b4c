// The walls one by one, each as the kernel has it.
#pragma once
#include "include/CConfinement.h"

// The version that the kernel has; 0: none.
int landlock_version(void);
// Confines the calling thread and those it starts; 0 or an errno.
int landlock_confine(const cconfine_rights *rights);

bool seccomp_is_available(void);
// Refuses system calls from now on; 0 or an errno.
int seccomp_confine(const cconfine_rights *rights);
