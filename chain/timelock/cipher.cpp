#include "chain/timelock/cipher.h"

#include <openssl/evp.h>

#include <memory>

#include "common/check.h"

namespace chain::timelock {
namespace {

constexpr int kTagSize = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

enum Direction { kOpen = 0, kSeal = 1 };

// GCM's nonce is 12 bytes unless said otherwise.
Context start(const CipherKey& key, const CipherNonce& nonce, Direction direction) {
  Context context(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data(),
                          direction) == 1);
  return context;
}

}  // namespace

common::Bytes seal_aes(const CipherKey& key, const CipherNonce& nonce, common::ByteView plaintext) {
  const Context context = start(key, nonce, kSeal);
  common::Bytes out(plaintext.size() + kTagSize);
  int size = 0;
  int rest = 0;
  CHECK(EVP_CipherUpdate(context.get(), out.data(), &size, plaintext.data(),
                         static_cast<int>(plaintext.size())) == 1);
  CHECK(EVP_CipherFinal_ex(context.get(), out.data() + size, &rest) == 1 && rest == 0);
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                            out.data() + plaintext.size()) == 1);
  return out;
}

std::optional<common::Bytes> open_aes(const CipherKey& key, const CipherNonce& nonce,
                                      common::ByteView sealed) {
  CHECK(sealed.size() >= kTagSize);
  const Context context = start(key, nonce, kOpen);
  const common::ByteView body = sealed.first(sealed.size() - kTagSize);
  common::Bytes tag(sealed.end() - kTagSize, sealed.end());  // OpenSSL asks for a pointer to write.
  common::Bytes out(sealed.size());
  int size = 0;
  int rest = 0;
  CHECK(EVP_CipherUpdate(context.get(), out.data(), &size, body.data(),
                         static_cast<int>(body.size())) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1);
  if (EVP_CipherFinal_ex(context.get(), out.data() + size, &rest) != 1) return std::nullopt;
  out.resize(body.size());
  return out;
}

}  // namespace chain::timelock
