#include "step.h"

void ck_run_steps(const ck_bound_step *steps, size_t count, const ck_kernels *kernels, size_t batch,
                  const ck_workers *workers) {
  for (size_t i = 0; i < count && !ck_stops(workers->stop); i++) {
    const ck_bound_step *bound = &steps[i];
    const ck_call call = {bound->inputs, bound->outputs, bound->constants, bound->scratch, batch, workers};
    bound->run(bound->step, kernels, &call);
  }
}
