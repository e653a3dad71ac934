#include "tests/bench/stream_model.h"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

namespace bench {
namespace {

struct Width {
  uint64_t parameters_max;
  uint32_t dim, kv_dim, hidden, vocabulary;
};

// TinyLlama, LLaMA 3.2 1B and 3B, LLaMA 3 8B, LLaMA 2 13B, LLaMA 3 70B.
constexpr Width kWidths[] = {
    {200'000'000, 768, 256, 2048, 32'000},       {1'500'000'000, 2048, 512, 8192, 32'000},
    {5'000'000'000, 3072, 1024, 8192, 128'256},  {11'000'000'000, 4096, 1024, 14336, 128'256},
    {30'000'000'000, 5120, 5120, 13824, 32'000}, {~uint64_t{0}, 8192, 1024, 28672, 128'256},
};

// Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators": the finaliser.
uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// The same for 32 bits (MurmurHash3, Appleby 2011), which any machine does several at a time.
uint32_t mix32(uint32_t z) {
  z = (z ^ (z >> 16)) * 0x85EBCA6Bu;
  z = (z ^ (z >> 13)) * 0xC2B2AE35u;
  return z ^ (z >> 16);
}

constexpr uint64_t kBlock = 512;  // Numbers of one deviation.

}  // namespace

compress::Layout llama_like(uint64_t parameters, uint32_t keep) {
  const Width& width = *std::find_if(std::begin(kWidths), std::end(kWidths), [&](const Width& of) {
    return parameters <= of.parameters_max;
  });
  std::vector<compress::Tensor> tensors;
  uint64_t count = 0;
  const auto add = [&](const std::string& name, uint32_t rows, uint32_t cols) {
    tensors.push_back({.name = name, .rows = rows, .cols = cols});
    count += uint64_t{rows} * cols;
  };
  add("embeddings", width.vocabulary, width.dim);
  const uint64_t around = 2 * count + width.dim;
  const uint64_t layer = 2 * uint64_t{width.dim} * (width.dim + width.kv_dim + 1) +
                         3 * uint64_t{width.dim} * width.hidden;
  const uint64_t layers =
      parameters <= around ? 1 : std::max<uint64_t>(1, (parameters - around + layer / 2) / layer);
  for (uint64_t l = 0; l < layers; ++l) {
    const std::string in = "layers." + std::to_string(l) + ".";
    add(in + "attention_norm", 1, width.dim);
    add(in + "wq", width.dim, width.dim);
    add(in + "wk", width.kv_dim, width.dim);
    add(in + "wv", width.kv_dim, width.dim);
    add(in + "wo", width.dim, width.dim);
    add(in + "ffn_norm", 1, width.dim);
    add(in + "w1", width.hidden, width.dim);
    add(in + "w2", width.dim, width.hidden);
    add(in + "w3", width.hidden, width.dim);
  }
  add("norm", 1, width.dim);
  add("output", width.vocabulary, width.dim);
  return compress::Layout(std::move(tensors), 4096, keep);
}

void draw(uint64_t seed, uint64_t first, float deviation, std::span<float> values) {
  constexpr float kUnit =
      1.0f / 37837.0f;  // Of a sum of four uniforms of 16 bits: 65536 / sqrt(3).
  const uint64_t key = mix(seed + 0x9E3779B97F4A7C15u);
  for (size_t begin = 0; begin < values.size();) {
    const uint64_t block = (first + begin) / kBlock;
    const size_t end = std::min<size_t>(values.size(), (block + 1) * kBlock - first);
    const uint64_t own = mix(key + block * 0x9E3779B97F4A7C15u);
    const auto low = static_cast<uint32_t>(own);
    const auto high = static_cast<uint32_t>(own >> 32);
    const float scale = deviation * kUnit * static_cast<float>(1 + own % 7) / 4;
    const auto in_block = static_cast<uint32_t>(first + begin - block * kBlock);
    float* const to = values.data() + begin;
    const auto count = static_cast<uint32_t>(end - begin);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t at = (in_block + i) * 0x9E3779B9u;
      const uint32_t x = mix32(low ^ at);
      const uint32_t y = mix32(high ^ at);
      const uint32_t sum = (x & 0xFFFF) + (x >> 16) + (y & 0xFFFF) + (y >> 16);
      to[i] = scale * static_cast<float>(static_cast<int32_t>(sum) - 2 * 65535);
    }
    begin = end;
  }
}

uint64_t checksum(uint64_t first, std::span<const float> values) {
  uint64_t sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += std::bit_cast<uint32_t>(values[i]) * (2 * (first + i) + 1);
  }
  return sum;
}

}  // namespace bench
