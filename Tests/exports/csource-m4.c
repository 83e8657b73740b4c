/* What a Cortex-M4 begins with: its stack, its first instruction, the floating-point unit. For qemu's mps2-an386, with
   semihosting for output (csource.sh). */
#include <stdint.h>
#include <stdlib.h>

extern int main(void);
extern void initialise_monitor_handles(void);
extern uint32_t stack_top, zero_begin, zero_end;

void reset(void);

void reset(void) {
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
  __asm volatile("dsb\n isb");
  for (uint32_t *word = &zero_begin; word < &zero_end; word++) *word = 0;
  initialise_monitor_handles();
  exit(main());
}

/* What newlib calls at the end of a program. */
void _fini(void);
void _fini(void) {}

static void fault(void) { abort(); }

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &stack_top, (void *)reset, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault};
