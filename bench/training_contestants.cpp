// Finds the contestants; libtorch and dlib come as shared modules, so that a process without them stays as small as it is.
#include "training_contestants.hpp"
#include <algorithm>
#include <dlfcn.h>
#include <filesystem>

namespace training {

std::unique_ptr<Trainer> make_hand_net(const Problem& problem, const Data& data, bool blas);
std::unique_ptr<Trainer> make_hand_xor(const Problem& problem, const Data& data);
std::unique_ptr<Chain> make_hand_chain(Operation op, std::size_t n);

std::string program_folder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path().string(); }

namespace {

Entrant module(Role role, const std::string& name, const std::string& file, std::string& trouble) {
  const std::string path = program_folder() + "/" + file;
  if (!std::filesystem::exists(path)) {
    trouble = name + " takes no part: " + path + " was not built (its Debian package was not installed)";
    return {};
  }
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const void* symbol = handle ? dlsym(handle, "training_contestant") : nullptr;
  if (!symbol) {
    trouble = name + " takes no part: " + dlerror();
    return {};
  }
  const Maker& maker = *static_cast<const Maker*>(symbol);
  Entrant e{role, maker.name, [&maker](const Problem& p, const Samples& s) { return maker.trainer(p, s.view()); }, {}};
  if (maker.chain) e.chain = maker.chain;
  return e;
}

}  // namespace

std::vector<Entrant> entrants(const std::vector<std::string>& wanted, std::vector<std::string>& missing) {
  auto want = [&](const char* name) { return std::find(wanted.begin(), wanted.end(), name) != wanted.end(); };
  std::vector<Entrant> all;
  if (want("hand")) {
    all.push_back(
        {Role::hand, "hand-written",
         [](const Problem& p, const Samples& s) { return p.logistic() ? make_hand_xor(p, s.view()) : make_hand_net(p, s.view(), false); },
         make_hand_chain});
    all.push_back({Role::hand,
                   "hand-written, OpenBLAS",
                   [](const Problem& p, const Samples& s) { return p.logistic() ? nullptr : make_hand_net(p, s.view(), true); },
                   {}});
  }
  if (want("engine")) all.push_back({Role::engine, "autodiff", make_engine_trainer, make_engine_chain});
  auto add = [&](Role role, const char* name, const char* file) {
    if (!want(name)) return;
    std::string trouble;
    if (Entrant e = module(role, name, file, trouble); e.trainer) all.push_back(std::move(e));
    else missing.push_back(trouble);
  };
  add(Role::libtorch, "libtorch", "training_torch.so");
  add(Role::dlib, "dlib", "training_dlib.so");
  return all;
}

}  // namespace training
