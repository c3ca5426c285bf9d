// Finds the parameters of a model. A model is any struct whose fields are layers, parameters or models: nothing is registered, no macro, no
// base class, and copying the struct copies the net. What is looked into:
//
//   Parameter                          itself
//   a class with fields()              what it ties: auto fields() { return std::tie(weight, bias); }
//   a struct that braces initialize    its fields, at most 16 (an aggregate: no constructor, no private fields)
//   tuple, pair, array, vector, map …  the elements
//   optional, unique_ptr, variant      what it holds, if anything
//   numbers, strings, Tensor …         nothing to be learned
//
// What might hide a parameter from this walk does not compile, and says what to do: a class without fields(), fields beside inherited ones, a
// pointer to a layer (copies of the net would share it). Not seen is what a struct of only pointers, references and numbers points to.
// Names are positions, "0.weight", the keys of a map, or come from the type: static constexpr const char* field_names[] = {"hidden", "output"};
//
// To read this file, start at `walk`; how the fields of a struct are counted stands above `field_count`.
#pragma once
#include <autodiff/autodiff.hpp>
#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace autodiff::inline v1::nn {

namespace detail {

using autodiff::detail::text;

template <class> constexpr bool is_parameter = false;
template <class T> constexpr bool is_parameter<Parameter<T>> = true;

// ---- the fields of a struct -----------------------------------------------------------------------------------------

/// Initializes a field of any type, but not a base class, which is no field.
template <class M> struct Anything {
  using BecomesAnything = void;
  template <class X> requires(!std::is_base_of_v<X, M>) operator X() const { throw 0; }
};
/// The other way round: initializes a base class that has fields.
template <class M> struct AnyBase {
  using BecomesAnything = void;
  template <class X> requires(std::is_base_of_v<X, M> && !std::same_as<X, M> && !std::is_empty_v<X>) operator X() const { throw 0; }
};
template <class M, std::size_t... i> consteval bool takes(std::index_sequence<i...>) {
  return requires { M{(void(i), Anything<M>())...}; };
}
template <class M, std::size_t... i, std::size_t... j, std::size_t... k>
consteval bool takes(std::index_sequence<i...>, std::index_sequence<j...>, std::index_sequence<k...>) {
  return requires { M{(void(i), Anything<M>())..., {(void(j), Anything<M>())...}, (void(k), Anything<M>())...}; };
}
template <class M, std::size_t n> consteval bool takes() { return takes<M>(std::make_index_sequence<n>()); }
/// i initializers, one in braces with j inside, and k more.
template <class M, std::size_t i, std::size_t j, std::size_t k> consteval bool takes() {
  return takes<M>(std::make_index_sequence<i>(), std::make_index_sequence<j>(), std::make_index_sequence<k>());
}

constexpr std::size_t most_fields = 16, most_initializers = 32, no_field_count = 0;

/// The most initializers that braces around M take. Counting *downwards*: upwards, a field without a default would stop the count at once.
template <class M, std::size_t n = most_initializers + 1> consteval std::size_t initializers() {
  if constexpr (n == 0) return 0;
  else if constexpr (takes<M, n>()) return n;
  else return initializers<M, n - 1>();
}
/// How many of the n initializers go to the field that begins at the i-th: more than one for an array T[j], which takes {…} of j, with as
/// many initializers behind it as are left, and not one more. (struct { int a[2]; Linear b; } takes 3 initializers, of which 2 go to a: 1 is
/// surplus, and the fields are 2.)
template <class M, std::size_t n, std::size_t i, std::size_t j> consteval std::size_t width() {
  if constexpr (j < 2) return 1;
  else if constexpr (takes<M, i, j, n - i - j>() && !takes<M, i, j, n - i - j + 1>()) return j;
  else return width<M, n, i, j - 1>();
}
/// By how many the initializers are more than the fields.
template <class M, std::size_t n, std::size_t i = 0> consteval std::size_t surplus() {
  if constexpr (i + 1 >= n) return 0;
  else {
    constexpr std::size_t w = width<M, n, i, n - i>();
    return w - 1 + surplus<M, n, i + w>();
  }
}
/// How many fields an aggregate has; `no_field_count` if that cannot be found out, or is more than 16.
template <class M> consteval std::size_t field_count() {
  constexpr std::size_t n = initializers<M>();
  constexpr bool has_base = requires { M{AnyBase<M>()}; };
  if constexpr (n > most_initializers || has_base) return no_field_count;
  else {
    constexpr std::size_t fields = n - surplus<M, n>();
    return fields <= most_fields ? fields : no_field_count;
  }
}

/// References to all fields.
template <class M> constexpr auto members(M& m) {
  constexpr std::size_t n = field_count<std::remove_const_t<M>>();
  if constexpr (n == 1) { auto& [a] = m; return std::tie(a); }
  else if constexpr (n == 2) { auto& [a, b] = m; return std::tie(a, b); }
  else if constexpr (n == 3) { auto& [a, b, c] = m; return std::tie(a, b, c); }
  else if constexpr (n == 4) { auto& [a, b, c, d] = m; return std::tie(a, b, c, d); }
  else if constexpr (n == 5) { auto& [a, b, c, d, e] = m; return std::tie(a, b, c, d, e); }
  else if constexpr (n == 6) { auto& [a, b, c, d, e, f] = m; return std::tie(a, b, c, d, e, f); }
  else if constexpr (n == 7) { auto& [a, b, c, d, e, f, g] = m; return std::tie(a, b, c, d, e, f, g); }
  else if constexpr (n == 8) { auto& [a, b, c, d, e, f, g, h] = m; return std::tie(a, b, c, d, e, f, g, h); }
  else if constexpr (n == 9) { auto& [a, b, c, d, e, f, g, h, i] = m; return std::tie(a, b, c, d, e, f, g, h, i); }
  else if constexpr (n == 10) { auto& [a, b, c, d, e, f, g, h, i, j] = m; return std::tie(a, b, c, d, e, f, g, h, i, j); }
  else if constexpr (n == 11) { auto& [a, b, c, d, e, f, g, h, i, j, k] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k); }
  else if constexpr (n == 12) { auto& [a, b, c, d, e, f, g, h, i, j, k, l] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l); }
  else if constexpr (n == 13) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, o] = m; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, o); }
  else if constexpr (n == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, o, p] = m;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, o, p);
  } else if constexpr (n == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, o, p, q] = m;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, o, p, q);
  } else if constexpr (n == 16) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, o, p, q, r] = m;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, o, p, q, r);
  } else static_assert(n != no_field_count, "the fields of this struct cannot be counted (more than 16, a base class, or a reference among "
                                            "them): give it auto fields() { return std::tie(…); }");
}

// ---- what a type is to the walk -------------------------------------------------------------------------------------

enum class Kind { parameter, fields, members, tuple, range, maybe, variant, pointer, nothing, opaque };

/// The class in which a member function is declared; of several, the one with this const and &.
template <class C, class R> std::type_identity<C> owner(R (C::*)());
template <class C, class R> std::type_identity<C> const_owner(R (C::*)() const);
template <class C, class R> std::type_identity<C> ref_owner(R (C::*)() &);
template <class C, class R> std::type_identity<C> const_ref_owner(R (C::*)() const&);
/// Does the fields() of class C name all that M holds? It does if M adds nothing to C, or C holds nothing, and so asks M.
template <class M, class C> consteval bool knows(std::type_identity<C>) { return sizeof(C) == sizeof(M) || std::is_empty_v<C>; }
template <class M> consteval bool fields_know_all() {
  bool all = true;
  if constexpr (requires { owner(&M::fields); }) all = all && knows<M>(decltype(owner(&M::fields))());
  if constexpr (requires { const_owner(&M::fields); }) all = all && knows<M>(decltype(const_owner(&M::fields))());
  if constexpr (requires { ref_owner(&M::fields); }) all = all && knows<M>(decltype(ref_owner(&M::fields))());
  if constexpr (requires { const_ref_owner(&M::fields); }) all = all && knows<M>(decltype(const_ref_owner(&M::fields))());
  return all;
}
/// fields() of its own, or inherited ones where nothing was added that they cannot know.
template <class M> concept HasFields = requires(M& m) { m.fields(); } && fields_know_all<M>();
template <class M> concept InheritsFields = requires(M& m) { m.fields(); } && !HasFields<M>;
/// A map from names, which are those of its layers.
template <class M> concept KeyedByName = requires(M& m, const typename M::key_type& key) { m.at(key); std::string(key); };
/// Without an order of its own: of two with the same elements, each may have another. (Pointers are ordered by where they point.)
template <class M> concept Unordered = requires { typename M::hasher; } || requires { requires std::is_pointer_v<typename M::key_type>; };
template <class M> concept TupleLike = requires { std::tuple_size<M>::value; };
template <class M> concept RangeLike = requires(M& m) { *m.begin(); m.end(); };
/// A path, whose elements are paths.
template <class M> concept RangeOfItself =
    RangeLike<M> && requires(M& m) { requires std::same_as<std::remove_cvref_t<decltype(*m.begin())>, M>; };
template <class M> concept ReferenceLike = requires(M& m) { typename M::type; { m.get() } -> std::same_as<typename M::type&>; };
template <class M> concept SharedPointerLike = requires(M& m) { *m; m.use_count(); };
template <class M> concept MaybeLike = requires(M& m) { *m; m.operator->(); static_cast<bool>(m); };
template <class M> concept VariantLike = requires(M& m) { m.valueless_by_exception(); };
template <class M> concept NumberOfOurs = requires { typename M::Differentiable; } || requires { typename M::Operand; };

template <class M> consteval Kind kind_of() {
  if constexpr (is_parameter<M>) return Kind::parameter;
  else if constexpr (std::is_pointer_v<M>) return Kind::pointer;
  else if constexpr (std::is_array_v<M>) return Kind::range;
  else if constexpr (!std::is_class_v<M> || NumberOfOurs<M> || RangeOfItself<M>) return Kind::nothing;
  else if constexpr (HasFields<M>) return Kind::fields;
  else if constexpr (InheritsFields<M>) return Kind::opaque;
  else if constexpr (std::is_trivially_copyable_v<M> && (RangeLike<M> || ReferenceLike<M>)) return Kind::pointer;  // a span
  else if constexpr (std::is_trivially_copyable_v<M>) return Kind::nothing;  // a parameter is not, nor is what holds one
  else if constexpr (TupleLike<M> && !RangeLike<M>) return Kind::tuple;
  else if constexpr (std::is_aggregate_v<M> && !TupleLike<M>) return Kind::members;
  else if constexpr (RangeLike<M>) return Kind::range;
  else if constexpr (SharedPointerLike<M>) return Kind::pointer;
  else if constexpr (MaybeLike<M>) return Kind::maybe;
  else if constexpr (VariantLike<M>) return Kind::variant;
  else return Kind::opaque;
}

/// The tuple of references to its children, and what a container, an optional or a pointer holds.
template <class M> constexpr decltype(auto) children(M& m) {
  constexpr Kind kind = kind_of<std::remove_const_t<M>>();
  if constexpr (kind == Kind::fields) return const_cast<std::remove_const_t<M>&>(m).fields();
  else if constexpr (kind == Kind::members) return members(m);
  else return (m);
}
template <class M> using ChildrenOf = std::remove_cvref_t<decltype(children(std::declval<M&>()))>;
template <class M> auto element_of() {
  if constexpr (std::is_array_v<M>) return std::type_identity<std::remove_cvref_t<decltype(std::declval<M&>()[0])>>();
  else if constexpr (RangeLike<M>) return std::type_identity<std::remove_cvref_t<decltype(*std::declval<M&>().begin())>>();
  else if constexpr (ReferenceLike<M>) return std::type_identity<std::remove_cvref_t<typename M::type>>();
  else return std::type_identity<std::remove_cvref_t<decltype(*std::declval<M&>())>>();
}

template <class M, class... Within> consteval bool may_hold();
template <class Tuple, class... Within> struct Any;
template <template <class...> class Tuple, class... X, class... Within> struct Any<Tuple<X...>, Within...> {
  static consteval bool may_hold_one() { return (may_hold<std::remove_cvref_t<X>, Within...>() || ...); }
};
/// Can a value of type M hold a parameter? `Within`: the types around it, whose answer does not depend on itself.
template <class M, class... Within> consteval bool may_hold() {
  constexpr Kind kind = kind_of<M>();
  if constexpr ((std::same_as<M, Within> || ...) || kind == Kind::nothing) return false;
  else if constexpr (kind == Kind::parameter || kind == Kind::opaque) return true;
  else if constexpr (kind == Kind::pointer && std::is_pointer_v<M>) {
    using To = std::remove_cv_t<std::remove_pointer_t<M>>;
    if constexpr (requires { sizeof(To); } && std::is_object_v<To>) return kind_of<To>() != Kind::opaque && may_hold<To, M, Within...>();
    else return false;
  } else if constexpr (kind == Kind::range || kind == Kind::maybe || kind == Kind::pointer)
    return may_hold<typename decltype(element_of<M>())::type, M, Within...>();
  else return Any<ChildrenOf<M>, M, Within...>::may_hold_one();
}

// ---- the walk -------------------------------------------------------------------------------------------------------

/// Calls f with a parameter, last.
template <class F, class P, class... Before> void arrive_at(const F& f, P& parameter, const Before&... before) {
  constexpr bool callable = std::is_invocable_v<const F&, const Before&..., P&>;
  static_assert(callable || !std::is_const_v<P>,
      "the net is const, and a step, initialize() or load() changes its parameters: take it as Net&, not as const Net&");
  if constexpr (callable || !std::is_const_v<P>) f(before..., parameter);
}
/// Where the walk is: nobody wants to know, or as a name.
struct Unnamed {
  template <class G> void into(std::size_t, std::optional<std::string_view>, const G& go) { go(); }
  template <class F, class P> void arrive(const F& f, P& parameter) { arrive_at(f, parameter); }
};
struct Named {
  std::string path;
  template <class G> void into(std::size_t index, std::optional<std::string_view> name, const G& go) {
    const std::size_t before = path.size();
    if (before) path += '.';
    path += name ? std::string(*name) : std::to_string(index);
    go();
    path.resize(before);
  }
  template <class F, class P> void arrive(const F& f, P& parameter) { arrive_at(f, parameter, path.empty() ? std::string("parameter") : path); }
};

template <class M> constexpr std::optional<std::string_view> name_of([[maybe_unused]] std::size_t i, [[maybe_unused]] std::size_t n) {
  if constexpr (requires { M::field_names[0]; }) if (i < std::size(M::field_names)) return M::field_names[i];
  return {};
}

template <class M, class F, class At> void walk(M& m, const F& f, At& at) {
  using Model = std::remove_const_t<M>;
  constexpr Kind kind = kind_of<Model>();
  static_assert(kind != Kind::opaque,
      "this class (or what this lambda catches) may hold parameters that cannot be seen: it has a constructor, private members or a "
      "base class; give it auto fields() { return std::tie(…); } of its own, of all that is to be learned, or, if it holds none, "
      "write one in the class around it, and leave this out; for a lambda write a struct");
  static_assert(!Unordered<Model>,
      "an unordered container gives its layers another order in each run, and files and seeds go by the order: use std::map or std::vector");
  static_assert(kind != Kind::pointer,
      "a pointer to a layer or parameter: copies of the net would share it; hold it by value, or in a std::unique_ptr or std::vector");
  if constexpr (kind == Kind::parameter) at.arrive(f, m);
  else if constexpr (kind == Kind::range) {
    std::size_t i = 0;
    for (auto& x : m) {
      if constexpr (KeyedByName<Model>) at.into(i++, std::string(x.first), [&] { walk(x.second, f, at); });
      else at.into(i++, {}, [&] { walk(x, f, at); });
    }
  } else if constexpr (kind == Kind::maybe) {
    if (m) walk(*m, f, at);
  } else if constexpr (kind == Kind::variant) {
    if (!m.valueless_by_exception()) visit([&](auto& x) { if constexpr (may_hold<std::remove_cvref_t<decltype(x)>>()) walk(x, f, at); }, m);
  } else {
    auto&& parts = children(m);
    using Parts = std::remove_cvref_t<decltype(parts)>;
    constexpr std::size_t n = std::tuple_size_v<Parts>;
    if constexpr (requires { Model::field_names[0]; })
      static_assert(std::size(Model::field_names) == n, "field_names: give one name for each field");
    const auto part = [&]<std::size_t i>(std::integral_constant<std::size_t, i>) {
      using Part = std::tuple_element_t<i, Parts>;
      static_assert(std::is_lvalue_reference_v<decltype(parts)> || std::is_lvalue_reference_v<Part>,
          "fields() returns copies: return std::tie(…), not std::make_tuple(…)");
      using X = std::remove_reference_t<decltype(std::get<i>(parts))>;
      if constexpr (may_hold<std::remove_cv_t<X>>()) {
        static_assert(std::is_const_v<M> || !std::is_const_v<X>,
            "a const parameter cannot be learned: make it a Tensor, or fields() not const");
        at.into(i, name_of<Model>(i, n), [&] {
          if constexpr (std::is_const_v<M>) walk(std::as_const(std::get<i>(parts)), f, at);
          else walk(std::get<i>(parts), f, at);
        });
      }
    };
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (part(std::integral_constant<std::size_t, i>()), ...);
    }(std::make_index_sequence<n>());
  }
}

template <class T> void require_numbers(const char* where, const Parameter<T>& p) {
  if (p.moved_from()) throw Error(text("{}: a parameter of this model was moved from; use the model that it was moved to", {where}));
}
[[noreturn]] inline void refuse_empty_model(const char* where) {
  throw Error(text("{}: this model holds no parameters: its containers are empty", {where}));
}

}  // namespace detail

/// A struct in which the walk finds parameters.
template <class M> concept Model = detail::may_hold<std::remove_cvref_t<M>>();

namespace detail {
template <class M, class F, class At> void walk_model(M& model, const F& f, At at) {
  static_assert(Model<M>, "no parameter is found in this model: its fields (or what its fields() ties) are no Parameter and hold none");
  walk(model, f, at);
}
}  // namespace detail

/// f(parameter) for every parameter of the model, in the order of its fields. f takes Parameter<float>& or Parameter<double>&, or auto&.
template <class M, class F> void for_each_parameter(M& model, const F& f) {
  detail::walk_model(model, f, detail::Unnamed{});
}
namespace detail {
/// Has a backward() come after the model was recorded, and no step used it?
template <class M> bool is_walked(const M& model) {
  bool walked = false;
  for_each_parameter(model, [&](const auto& p) { walked = walked || p.reached() || p.walked(); });
  return walked;
}
}  // namespace detail
/// f(name, parameter): "0.weight", "0.bias", "2.weight" …, which are the names in a file: of fields and elements their number, or their name where
/// `field_names` or the keys of a map give one.
template <class M, class F> void for_each_named_parameter(M& model, const F& f) {
  detail::walk_model(model, f, detail::Named{});
}

namespace detail {
/// The same, where two layers share a parameter once.
template <class M, class F> void for_each_parameter_once(M& model, const F& f) {
  std::vector<std::uint64_t> seen;  // sorted; later made parameters have larger identities, so that most are appended
  for_each_parameter(model, [&](auto& p) {
    const auto at = std::lower_bound(seen.begin(), seen.end(), p.identity());
    if (at != seen.end() && *at == p.identity()) return;
    seen.insert(at, p.identity());
    f(p);
  });
}
}  // namespace detail

/// How many numbers are to be learned; 0 for what holds no parameter.
template <class M> std::size_t parameter_count(const M& model) {
  std::size_t n = 0;
  if constexpr (Model<M>) detail::for_each_parameter_once(model, [&n](const auto& p) { n += p.size(); });
  return n;
}

}  // namespace autodiff::inline v1::nn
