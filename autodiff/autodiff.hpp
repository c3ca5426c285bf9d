// The door of autodiff: reverse-mode automatic differentiation of scalars and tensors on one tape. Include this, and nothing below it.
//
// The library is built in floors; a file includes what stands on its own floor or below, never from above:
//
//   5  grad.hpp        derivative, gradient, hessian, hvp of a function: no tape in sight
//      jacobian.hpp    jacobian, jvp, vjp; recorded_gradient, cost_of_gradient
//      preaccumulate.hpp  a part of a recording that keeps only its slopes
//      forwards.hpp    jacobian_forwards, gradient_forwards, jvp_batch: without a tape, where variables or directions are few
//      lanes.hpp       gradient_batch, jacobian_batch: many points at a time
//      sparse.hpp      sparse_jacobian: the entries that can differ from zero
//      check.hpp       check_gradient: is this gradient right?
//      graph.hpp       to_dot, to_text: what was recorded
//   4  ops.hpp         products and moves: matmul, transpose, reshape, slice, gather, select …
//      joins.hpp       concatenate, stack, split; assemble: numbers of the tape as a tensor
//      reduce.hpp      sum, mean, max, min, dot, norm, logsumexp, softmax …
//      with_pullback.hpp  an operation of one's own, with its pullback
//      parameter.hpp   tensors to be learned
//      fused.hpp       a layer or a cost in one operation
//   3  var.hpp         Var<double>: numbers that remember, and how expressions of them are recorded
//      tensor_var.hpp  Var<Tensor<T>>: tensors that remember   elementwise.hpp  how they obey the rules, number by number
//   2  tape.hpp        record, backward, mark, rewind       nodes.hpp, arena.hpp  its tensor half, and its memory
//      arguments.hpp   how it stores them               adjoint.hpp  where the adjoint of a tensor is
//      nan_trap.hpp    where the first NaN came from
//   1  dual.hpp        forward mode                         kernels.hpp  loops over memory, for each instruction set
//      batch.hpp       eight numbers computed with as one
//   0  rules.hpp       the table of elementary functions (rules.inl), and what a number is
//      tensor.hpp, shape.hpp, error.hpp, special.hpp, pool.hpp
//
// To understand it, read rules.inl for a page, then tape.hpp, then var.hpp.
#pragma once
#if __cplusplus < 202002L
#error "autodiff needs C++20: compile with -std=c++20"
#elif __SIZEOF_SIZE_T__ < 8
#error "autodiff needs a 64-bit system"
#else
#pragma GCC visibility push(default)  // a program built with -fvisibility=hidden shares the tapes of a thread with a shared library of ours
#include "check.hpp"
#include "forwards.hpp"
#include "fused.hpp"
#include "grad.hpp"
#include "graph.hpp"
#include "jacobian.hpp"
#include "joins.hpp"
#include "lanes.hpp"
#include "pool.hpp"
#include "preaccumulate.hpp"
#include "sparse.hpp"
#include "with_pullback.hpp"
#pragma GCC visibility pop
#endif
