// A batch of a size for which there are no registers.
// error: batches hold 4 or 8 doubles
#include <autodiff/autodiff.hpp>
#ifdef OK
autodiff::Batch<double, 4> b(1.0);
#else
autodiff::Batch<double, 3> b(1.0);
#endif
