// Leaf kernels: no allocation, no policy, no I/O. See docs/architecture.md.
#pragma once
