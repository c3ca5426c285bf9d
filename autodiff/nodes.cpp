// Floor 2. What the tensor half of a tape forgets, and what it gives back.
#include "nodes.hpp"

namespace autodiff::inline v1::detail {

namespace {
void take_back(Stack<CellBase*>& cells_with_copies) {
  for (CellBase* cell : cells_with_copies) {
    const UserCopies& copies = *std::exchange(cell->copies, nullptr);
    for (Storage* copy : {copies.value, copies.adjoint}) if (copy) copy->release();
  }
  cells_with_copies.truncate(0);
}
/// Gives back the numbers of statements from `end` on.
void let_go(Stack<Nodes<double>::Replaced>& replaced, Id end) {
  std::size_t kept = 0;
  for (const auto& one : replaced)
    if (one.of < end) replaced[kept++] = one; else one.storage->release();
  replaced.truncate(kept);
}
void set_idle(Storage& storage, bool idle) { __atomic_store_n(&storage.idle, idle, __ATOMIC_RELAXED); }
void set_idle(Shared&, bool) {}
template <class X> void let_go(Stack<X*>& kept, std::size_t from) {
  for (std::size_t i = from; i < kept.size(); ++i) {
    __atomic_store_n(&kept[i]->kept_by, Place{0}, __ATOMIC_RELAXED);  // or the next keep() would think it is still kept
    set_idle(*kept[i], false);
    kept[i]->release();
  }
  kept.truncate(from);
}
/// Lets go of what the recording that ends has not used.
template <class X> void let_go_unused(Stack<X*>& kept, Place recording) {
  std::size_t used = 0;
  for (X* object : kept) {
    const bool uses = __atomic_load_n(&object->kept_by, __ATOMIC_RELAXED) == recording;
    set_idle(*object, uses);
    if (uses) {
      kept[used++] = object;
      __atomic_store_n(&object->kept_by, ~recording, __ATOMIC_RELAXED);  // once, if it is here twice
    } else object->release();
  }
  kept.truncate(used);
}
}  // namespace

void Nodes<double>::rewind(const Mark& mark, Id end) {
  lost = false;
  take_back(cells_with_copies);
  let_go(storages, mark.storages);
  let_go(shared, mark.shared);
  let_go(replaced, end);
  parameter_cells.truncate(mark.parameter_cells);
  list.truncate(mark.nodes);
  arena.rewind(mark.arena);
}
void Nodes<double>::forget_nodes() {
  take_back(cells_with_copies);
  let_go_unused(storages, recording);
  let_go_unused(shared, recording);
  let_go(replaced, Id{0});
  parameter_cells.truncate(0);
  list.truncate(0);
}
CellBase* Nodes<double>::cell_of(const Shared& parameter) const {
  for (std::size_t i = parameter_cells.size(); i-- > 0;)
    if (parameter_cells[i]->parameter == &parameter) return parameter_cells[i];
  return nullptr;
}
void Nodes<double>::release_kept() {
  let_go(storages, 0);
  let_go(shared, 0);
}

}  // namespace autodiff::inline v1::detail
