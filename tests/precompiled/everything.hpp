// What a user of both halves includes; precompiled for the cases of must_not_compile/.
#include <autodiff/autodiff.hpp>
#include <nn/nn.hpp>
