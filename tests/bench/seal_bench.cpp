// What sealing costs: bytes/s of plaintext, beside memcpy of the same bytes in the same run, each
// cipher and each hash that could have been chosen, and signing.
//
// 128 MiB of random bytes, in chunks of 1 MiB unless a name says otherwise, on one thread and two.
// The rates are by the processor time of all threads together, so that a machine that others work
// on gives the same; `Time` is by the clock. What OpenSSL would do on a lesser processor:
//
//   OPENSSL_ia32cap="~0x200000200000000:~0x0"   without AES-NI and carry-less multiplication
//   OPENSSL_ia32cap=":~0x600d0230000"           without AVX-512 (with seal/memory/avx2)
#include <benchmark/benchmark.h>
#include <hwy/targets.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/check.h"
#include "common/keys.h"
#include "tests/temp_folder.h"
#include "train/seal_reader.h"
#include "train/seal_writer.h"
#include "train/sealing/group_cipher.h"

namespace {

using common::Bytes;
using common::ByteView;

constexpr size_t kSize = 128 << 20;
constexpr size_t kRoomBetween = train::kSealGroup * train::kSealTag;  // For a group's tags.

const Bytes& text() {
  static const Bytes kept = [] {
    Bytes bytes(kSize);
    randombytes_buf(bytes.data(), bytes.size());
    return bytes;
  }();
  return kept;
}

// Room for what is made, touched once.
Bytes& room() {
  static Bytes kept(kSize + (1 << 20), 1);
  return kept;
}

const train::SealKey& key() {
  static const train::SealKey kept = train::make_seal_key();
  return kept;
}

const Bytes& sealed() {
  static const Bytes kept = train::seal(text(), key());
  return kept;
}

using Part = std::function<void(const uint8_t* from, size_t size, uint8_t* to)>;

// `part` is made once a thread, and given its chunks one by one.
void by_chunks(benchmark::State& state, uint32_t threads, size_t chunk,
               const std::function<Part()>& make) {
  for (auto _ : state) {
    const auto work = [&](size_t first, size_t count) {
      const Part part = make();
      for (size_t i = first; i < first + count; ++i) {
        part(text().data() + i * chunk, chunk, room().data() + i * (chunk + kRoomBetween));
      }
    };
    const size_t each = kSize / chunk / threads;
    std::vector<std::jthread> others;
    for (uint32_t i = 1; i < threads; ++i) others.emplace_back([=] { work(i * each, each); });
    work(0, each);
    others.clear();
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kSize));
}

using Run = std::function<void(benchmark::State&, uint32_t threads)>;

void add(const std::string& name, const Run& run) {
  for (const uint32_t threads : {1U, 2U}) {
    benchmark::RegisterBenchmark((name + "/threads:" + std::to_string(threads)).c_str(),
                                 [=](benchmark::State& state) { run(state, threads); })
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime();
  }
}

void add_by_chunks(const std::string& name, size_t chunk, const std::function<Part()>& make) {
  add(name,
      [=](benchmark::State& state, uint32_t threads) { by_chunks(state, threads, chunk, make); });
}

template <typename T, void (*kFree)(T*)>
struct Free {
  void operator()(T* what) const { kFree(what); }
};

std::function<Part()> openssl_cipher(const char* name) {
  return [name] {
    using Cipher = std::unique_ptr<EVP_CIPHER, Free<EVP_CIPHER, EVP_CIPHER_free>>;
    using Context = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>>;
    static const Cipher kAes(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    static const Cipher kChaCha(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
    const EVP_CIPHER* const cipher =
        std::string_view(name) == "AES-256-GCM" ? kAes.get() : kChaCha.get();
    return Part([cipher](const uint8_t* from, size_t size, uint8_t* to) {
      thread_local const Context context(EVP_CIPHER_CTX_new());
      static const std::array<uint8_t, 12> kNonce{};
      int written = 0;
      CHECK(EVP_EncryptInit_ex2(context.get(), cipher, key().data(), kNonce.data(), nullptr) == 1);
      CHECK(EVP_EncryptUpdate(context.get(), to, &written, from, static_cast<int>(size)) == 1);
      CHECK(EVP_EncryptFinal_ex(context.get(), to + size, &written) == 1);
      CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, to + size) == 1);
    });
  };
}

void add_ciphers() {
  for (const size_t kib : {64, 256, 1024}) {
    const std::string chunk = "/chunk_kib:" + std::to_string(kib);
    const size_t size = kib << 10;
    for (const char* const name : {"ChaCha20-Poly1305", "AES-256-GCM"}) {
      add_by_chunks(std::string("openssl/") + name + chunk, size, openssl_cipher(name));
    }
    if (kib != 1024) continue;
    static const std::array<uint8_t, 24> kNonce{};
    add_by_chunks("libsodium/XChaCha20-Poly1305" + chunk, size, [] {
      return [](const uint8_t* from, size_t bytes, uint8_t* to) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(to, nullptr, from, bytes, nullptr, 0, nullptr,
                                                   kNonce.data(), key().data());
      };
    });
    add_by_chunks("libsodium/ChaCha20-Poly1305-IETF" + chunk, size, [] {
      return [](const uint8_t* from, size_t bytes, uint8_t* to) {
        crypto_aead_chacha20poly1305_ietf_encrypt(to, nullptr, from, bytes, nullptr, 0, nullptr,
                                                  kNonce.data(), key().data());
      };
    });
    if (crypto_aead_aes256gcm_is_available() == 0) continue;
    add_by_chunks("libsodium/AES-256-GCM" + chunk, size, [] {
      return [](const uint8_t* from, size_t bytes, uint8_t* to) {
        crypto_aead_aes256gcm_encrypt(to, nullptr, from, bytes, nullptr, 0, nullptr, kNonce.data(),
                                      key().data());
      };
    });
  }
}

void add_hashes() {
  add_by_chunks("hash/blake2b_256/libsodium", 1 << 20, [] {
    return [](const uint8_t* from, size_t size, uint8_t*) {
      benchmark::DoNotOptimize(common::blake2b_256({from, size}));
    };
  });
  add_by_chunks("hash/sha256/openssl", 1 << 20, [] {
    return [](const uint8_t* from, size_t size, uint8_t* to) {
      unsigned int written = 0;
      CHECK(EVP_Digest(from, size, to, &written, EVP_sha256(), nullptr) == 1);
    };
  });
  for (const auto& [name, target] : std::vector<std::pair<std::string, int64_t>>{
           {"avx512", HWY_AVX3}, {"avx2", HWY_AVX2}, {"sse4", HWY_SSE4}}) {
    if ((hwy::SupportedTargets() & target) == 0) continue;
    const auto forced = target;
    add("hash/tree/" + name, [forced](benchmark::State& state, uint32_t threads) {
      hwy::SetSupportedTargetsForTest(forced);
      by_chunks(state, threads, 8 << 20, [] {
        return [](const uint8_t* from, size_t size, uint8_t*) {
          benchmark::DoNotOptimize(common::tree_leaves({from, size}));
        };
      });
      hwy::SetSupportedTargetsForTest(0);
    });
  }
}

// Digest, cipher and leaves, from memory to memory.
void seal_memory(benchmark::State& state, uint32_t threads) {
  by_chunks(state, threads, train::kPlainGroup, [] {
    return [](const uint8_t* from, size_t size, uint8_t* to) {
      thread_local train::GroupCipher cipher(key());
      std::array<common::Hash, 8> plain;
      std::array<common::Hash, 8> leaves;
      cipher.seal({}, {from, size}, {to, train::kSealedGroup}, {plain, leaves});
    };
  });
}

// As a miner does it, into a file; not yet on the disk.
void seal_file(benchmark::State& state, uint32_t threads) {
  const tests::TempFolder folder;
  for (auto _ : state) {
    auto file = common::FileWriter::create(folder / "sealed");
    train::SealWriter writer(*file, threads);
    CHECK(file.has_value() && writer.append(text()).has_value());
    benchmark::DoNotOptimize(writer.finish());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kSize));
}

void add_whole() {
  add("seal/memory", seal_memory);
  if ((hwy::SupportedTargets() & HWY_AVX2) != 0) {
    add("seal/memory/avx2", [](benchmark::State& state, uint32_t threads) {
      hwy::SetSupportedTargetsForTest(HWY_AVX2);
      seal_memory(state, threads);
      hwy::SetSupportedTargetsForTest(0);
    });
  }
  add("seal/file", seal_file);
  add("open", [](benchmark::State& state, uint32_t threads) {
    const common::MemorySource source(sealed());
    for (auto _ : state) CHECK((*train::open_seal(source, key(), threads)).has_value());
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kSize));
  });
  add("verify", [](benchmark::State& state, uint32_t threads) {
    const common::MemorySource source(sealed());
    const train::Claim claim{.sealed_size = sealed().size()};
    for (auto _ : state) benchmark::DoNotOptimize(train::verify_sealed(source, claim, threads));
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kSize));
  });
  add("read", [](benchmark::State& state, uint32_t threads) {
    const common::MemorySource source(sealed());
    const train::SealReader reader(source, key());
    for (auto _ : state) {
      const auto work = [&](size_t first, size_t size) {
        CHECK(reader.read(first, std::span(room()).subspan(first, size)).has_value());
      };
      std::vector<std::jthread> others;
      for (uint32_t i = 1; i < threads; ++i) {
        others.emplace_back([=] { work(i * (kSize / threads), kSize / threads); });
      }
      work(0, kSize / threads);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kSize));
  });
}

void add_signing() {
  static const common::Keypair alice = common::Keypair::from_uri("//Alice").value();
  static const common::Hash what = common::blake2b_256(common::view_of("what is signed"));
  benchmark::RegisterBenchmark("sr25519/sign", [](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(alice.sign(what.bytes));
  })->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("sr25519/verify", [](benchmark::State& state) {
    const common::Signature signature = alice.sign(what.bytes);
    for (auto _ : state) {
      benchmark::DoNotOptimize(common::verify(alice.account(), what.bytes, signature));
    }
  })->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(sodium_init() >= 0);
  add_by_chunks("memcpy", 1 << 20, [] {
    return [](const uint8_t* from, size_t size, uint8_t* to) { std::memcpy(to, from, size); };
  });
  add_ciphers();
  add_hashes();
  add_whole();
  add_signing();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
