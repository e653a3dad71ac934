#include "train/sealing/group_cipher.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/check.h"
#include "common/lane_hasher.h"

namespace train {
namespace {

using common::ByteView;

constexpr size_t kStep = 16 << 10;
static_assert(kSealChunk % kStep == 0);

const EVP_CIPHER* chacha20_poly1305() {
  struct Free {
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  };
  // Looking it up by its name takes longer than sealing a page.
  static const std::unique_ptr<EVP_CIPHER, Free> kept(
      EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
  CHECK_MSG(kept != nullptr, "this OpenSSL has no ChaCha20-Poly1305");
  return kept.get();
}

// How many chunks lie in so many bytes; the last may be short, none is empty unless it is alone.
size_t count_of(size_t size, size_t chunk) {
  return std::max<size_t>(1, size / chunk + (size % chunk != 0 ? 1 : 0));
}

}  // namespace

GroupCipher::GroupCipher(const SealKey& key)
    : key_(common::blake2b_256_keyed(key, common::view_of("muster seal v2 chacha20-poly1305"))
               .bytes) {}

void GroupCipher::begin(size_t lane, bool encrypt, uint64_t number, bool last) {
  auto& context = contexts_[lane];
  const bool fresh = context == nullptr;
  if (fresh) context.reset(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr);
  std::array<uint8_t, 12> nonce{};
  std::memcpy(nonce.data(), &number, sizeof number);
  nonce[11] = last ? 1 : 0;
  CHECK(EVP_CipherInit_ex2(context.get(), fresh ? chacha20_poly1305() : nullptr, key_.data(),
                           nonce.data(), encrypt ? 1 : 0, nullptr) == 1);
}

void GroupCipher::step(size_t lane, const uint8_t* from, size_t size, uint8_t* to) {
  int written = 0;
  if (size == 0) return;
  CHECK(EVP_CipherUpdate(contexts_[lane].get(), to, &written, from, static_cast<int>(size)) == 1 &&
        static_cast<size_t>(written) == size);
}

void GroupCipher::end_seal(size_t lane, uint8_t* tag) {
  int written = 0;
  std::array<uint8_t, kSealTag> rest;
  CHECK(EVP_CipherFinal_ex(contexts_[lane].get(), rest.data(), &written) == 1 && written == 0);
  CHECK(EVP_CIPHER_CTX_ctrl(contexts_[lane].get(), EVP_CTRL_AEAD_GET_TAG, kSealTag, tag) == 1);
}

bool GroupCipher::end_open(size_t lane, const uint8_t* tag) {
  std::array<uint8_t, kSealTag> expected;
  std::memcpy(expected.data(), tag, kSealTag);
  CHECK(EVP_CIPHER_CTX_ctrl(contexts_[lane].get(), EVP_CTRL_AEAD_SET_TAG, kSealTag,
                            expected.data()) == 1);
  int written = 0;
  std::array<uint8_t, kSealTag> rest;
  return EVP_CipherFinal_ex(contexts_[lane].get(), rest.data(), &written) == 1;
}

bool GroupCipher::whole_chunks(bool encrypt, const ChunkRun& run, size_t count, const uint8_t* from,
                               uint8_t* to, const RunLeaves& leaves) {
  const size_t from_chunk = encrypt ? kSealChunk : kSealedChunk;
  const size_t to_chunk = encrypt ? kSealedChunk : kSealChunk;
  common::LaneHasher::Texts in{};
  common::LaneHasher::Texts out{};
  for (size_t i = 0; i < count; ++i) {
    begin(i, encrypt, run.first + i, run.ends_object && i + 1 == count);
    in[i] = from + i * from_chunk;
    out[i] = to + i * to_chunk;
  }
  std::optional<common::LaneHasher> in_hash;
  std::optional<common::LaneHasher> out_hash;
  if (!leaves.plain.empty()) {
    in_hash.emplace(count);
    out_hash.emplace(count);
  }
  for (size_t at = 0; at < kSealChunk; at += kStep) {
    for (size_t i = 0; i < count; ++i) step(i, in[i], kStep, to + i * to_chunk + at);
    if (in_hash) {
      in_hash->update(in, kStep);
      out_hash->update(out, kStep);
    }
    for (size_t i = 0; i < count; ++i) {
      in[i] += kStep;
      out[i] += kStep;
    }
  }
  bool opened = true;
  for (size_t i = 0; i < count; ++i) {
    if (encrypt) {
      end_seal(i, to + i * to_chunk + kSealChunk);
    } else {
      opened = end_open(i, in[i]) && opened;
    }
  }
  if (!in_hash) return opened;
  // The tags, which end the sealed chunks.
  if (encrypt) {
    out_hash->update(out, kSealTag);
  } else {
    in_hash->update(in, kSealTag);
  }
  in_hash->finish(encrypt ? leaves.plain.first(count) : leaves.sealed.first(count));
  out_hash->finish(encrypt ? leaves.sealed.first(count) : leaves.plain.first(count));
  return opened;
}

void GroupCipher::seal(const ChunkRun& run, ByteView plain, std::span<uint8_t> sealed,
                       const RunLeaves& leaves) {
  const size_t count = count_of(plain.size(), kSealChunk);
  CHECK(count <= kSealGroup && sealed.size() == plain.size() + count * kSealTag);
  CHECK(leaves.plain.size() == leaves.sealed.size());
  const size_t whole = plain.size() / kSealChunk;
  CHECK(whole == count || run.ends_object);
  if (whole > 0) {
    whole_chunks(true, {run.first, run.ends_object && whole == count}, whole, plain.data(),
                 sealed.data(), leaves);
  }
  if (whole == count) return;
  const ByteView last = plain.subspan(whole * kSealChunk);
  const std::span<uint8_t> out = sealed.subspan(whole * kSealedChunk);
  begin(0, true, run.first + whole, true);
  step(0, last.data(), last.size(), out.data());
  end_seal(0, out.data() + last.size());
  if (leaves.plain.empty()) return;
  leaves.plain[whole] = common::blake2b_256(last);
  leaves.sealed[whole] = common::blake2b_256(out);
}

bool GroupCipher::open(const ChunkRun& run, ByteView sealed, std::span<uint8_t> plain,
                       const RunLeaves& leaves) {
  const size_t count = count_of(sealed.size(), kSealedChunk);
  CHECK(count <= kSealGroup && sealed.size() == plain.size() + count * kSealTag);
  CHECK(leaves.plain.size() == leaves.sealed.size());
  const size_t whole = sealed.size() / kSealedChunk;
  CHECK(whole == count || run.ends_object);
  if (whole > 0 && !whole_chunks(false, {run.first, run.ends_object && whole == count}, whole,
                                 sealed.data(), plain.data(), leaves)) {
    return false;
  }
  if (whole == count) return true;
  const ByteView last = sealed.subspan(whole * kSealedChunk);
  const std::span<uint8_t> out = plain.subspan(whole * kSealChunk);
  begin(0, false, run.first + whole, true);
  step(0, last.data(), out.size(), out.data());
  if (!end_open(0, last.data() + out.size())) return false;
  if (leaves.plain.empty()) return true;
  leaves.plain[whole] = common::blake2b_256(out);
  leaves.sealed[whole] = common::blake2b_256(last);
  return true;
}

bool GroupCipher::open_in_place(uint64_t number, bool last, std::span<uint8_t> text, ByteView tag) {
  CHECK(tag.size() == kSealTag && text.size() <= kSealChunk);
  begin(0, false, number, last);
  step(0, text.data(), text.size(), text.data());
  return end_open(0, tag.data());
}

}  // namespace train
