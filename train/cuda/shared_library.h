// A library that is opened at run time, and stays open.
#pragma once

#include <dlfcn.h>

#include <string>

namespace train::cuda {

class SharedLibrary {
 public:
  // Looks where the loader does, and then in `folder`.
  SharedLibrary(const std::string& name, const std::string& folder)
      : handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      handle_ = dlopen((folder + "/" + name).c_str(), RTLD_NOW | RTLD_LOCAL);
    }
  }

  bool is_open() const { return handle_ != nullptr; }

  template <typename Function>
  bool find(const char* name, Function& function) const {
    function = reinterpret_cast<Function>(dlsym(handle_, name));
    return function != nullptr;
  }

  // The loader's word for what went wrong last.
  static std::string trouble() {
    const char* const why = dlerror();
    return why == nullptr ? "no reason given" : why;
  }

 private:
  void* handle_;
};

}  // namespace train::cuda
