// Goal: no bytes crash the reader of metadata, and whatever it takes is safe to use by everybody
// who reads by it. Method: the input as a description; then all of it is walked: every default
// read, every type named, every constant shown.
#include <cstddef>
#include <cstdint>

#include "chain/substrate/forms.h"
#include "chain/substrate/signing.h"
#include "chain/substrate/stored.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chain::substrate;  // NOLINT: the room that is tried.
  auto metadata = decode_metadata({data, size});
  if (!metadata) return 0;
  const Runtime runtime{{"fuzz", 1, 1}, *std::move(metadata)};
  const chain::Forms forms = forms_of(runtime);
  for (const chain::StorageForm& form : forms.storage) {
    const auto stored = find_stored(runtime.metadata, form.pallet, form.name);
    if (stored) (void)read_stored(runtime.metadata, *stored, std::nullopt);
  }
  for (const chain::CallForm& form : forms.calls) {
    (void)encode_call(runtime.metadata, form.pallet, form.name, Json::object());
  }
  (void)make_extensions(runtime.metadata, {}, {});
  (void)read_extrinsic(runtime.metadata, {data, size});
  return 0;
}
