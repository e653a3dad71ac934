// Goal: other people's tools read our checkpoints; of other people's files only the model we expect
// is read. Method: a reader written from the format's description alone; then headers with one
// thing wrong each.
#include "train/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/train/small_subnet.h"
#include "train/model.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using nlohmann::json;

// Format: u64 length | JSON {name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__":
// texts} | the tensors, offsets counted from the end of the header. Source:
// github.com/huggingface/safetensors, README.
std::map<std::string, std::vector<float>> read_by_the_book(const Bytes& bytes) {
  uint64_t size = 0;
  std::memcpy(&size, bytes.data(), 8);
  EXPECT_EQ(bytes.at(8), '{');
  EXPECT_EQ((8 + size) % 8, 0U);
  const json header = json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<long>(size));
  std::map<std::string, std::vector<float>> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    EXPECT_EQ(entry["dtype"], "F32");
    size_t count = 1;
    for (const size_t dimension : entry["shape"]) count *= dimension;
    const size_t begin = entry["data_offsets"][0];
    EXPECT_EQ(entry["data_offsets"][1], begin + 4 * count);
    tensors[name].resize(count);
    std::memcpy(tensors[name].data(), bytes.data() + 8 + size + begin, 4 * count);
  }
  return tensors;
}

class SafetensorsTest : public testing::Test {
 protected:
  // The file with its header changed; lengths are right again.
  Bytes with_header(const std::function<void(json&)>& change) const {
    uint64_t size = 0;
    std::memcpy(&size, file_.data(), 8);
    const auto begin = file_.begin() + 8;
    json header = json::parse(begin, begin + static_cast<long>(size));
    change(header);
    return with_text(header.dump());
  }
  Bytes with_text(const std::string& text) const {
    uint64_t size = 0;
    std::memcpy(&size, file_.data(), 8);
    common::ByteWriter out;
    out.number(uint64_t{text.size()}).raw(common::view_of(text));
    return std::move(out.raw(common::ByteView(file_).subspan(8 + size))).bytes();
  }
  std::string refusal(const Bytes& bytes) const {
    const auto read = from_safetensors(bytes, layout_);
    if (read) return "";
    EXPECT_EQ(read.error().code, Code::kCorrupt);
    return read.error().message;
  }
  bool refused(const std::function<void(json&)>& change) const {
    return !refusal(with_header(change)).empty();
  }

  common::Hparams hparams_ = small_hparams();
  compress::Layout layout_ = parameter_layout(hparams_.model, hparams_.codec);
  std::vector<float> theta_ = initial_parameters(hparams_.model, layout_);
  Bytes file_ = to_safetensors(theta_, layout_);
};

constexpr const char* kNorm = "model.norm.weight";  // A vector of 8,
constexpr const char* kQuery =
    "model.layers.0.self_attn.q_proj.weight";  //   and a matrix of 8 x 8.

TEST_F(SafetensorsTest, AnOutsideReaderFindsEveryTensor) {
  const auto tensors = read_by_the_book(file_);
  ASSERT_EQ(tensors.size(), layout_.tensors().size());
  for (const compress::Tensor& tensor : layout_.tensors()) {
    const auto first = theta_.begin() + static_cast<long>(tensor.offset);
    EXPECT_EQ(tensors.at(tensor.name),
              std::vector<float>(first, first + static_cast<long>(tensor.size())));
  }
}

TEST_F(SafetensorsTest, ComesBackAndOneModelHasOneFile) {
  EXPECT_EQ(*from_safetensors(file_, layout_), theta_);
  EXPECT_EQ(to_safetensors(theta_, layout_), file_);
}

TEST_F(SafetensorsTest, TensorsMayLieInAnyOrder) {
  // The two last change places.
  const auto tensors = layout_.tensors();
  const compress::Tensor& last = tensors[tensors.size() - 1];
  const compress::Tensor& before = tensors[tensors.size() - 2];
  Bytes file = with_header([&](json& header) {
    const uint64_t begin = before.offset * 4;
    header[last.name]["data_offsets"] = {begin, begin + last.size() * 4};
    header[before.name]["data_offsets"] = {begin + last.size() * 4, theta_.size() * 4};
    header.erase("__metadata__");
  });
  std::vector<float> body(theta_.begin(), theta_.begin() + static_cast<long>(before.offset));
  body.insert(body.end(), theta_.begin() + static_cast<long>(last.offset), theta_.end());
  body.insert(body.end(), theta_.begin() + static_cast<long>(before.offset),
              theta_.begin() + static_cast<long>(last.offset));
  std::memcpy(file.data() + file.size() - body.size() * 4, body.data(), body.size() * 4);
  EXPECT_EQ(*from_safetensors(file, layout_), theta_);
}

TEST_F(SafetensorsTest, HostileHeaders) {
  EXPECT_FALSE(refused([](json&) {}));
  EXPECT_TRUE(refused([](json& header) { header.erase(kNorm); }));
  EXPECT_TRUE(refused([](json& header) { header["extra"] = header[kNorm]; }));
  EXPECT_TRUE(refused(
      [](json& header) { header[kNorm]["data_offsets"] = header[kQuery]["data_offsets"]; }));
  EXPECT_TRUE(refused([](json& header) { header[kNorm]["dtype"] = "F16"; }));
  EXPECT_TRUE(refused([](json& header) { header[kNorm]["shape"] = {1, 8}; }));
  EXPECT_TRUE(refused([](json& header) { header[kQuery]["shape"] = {64}; }));
  EXPECT_TRUE(refused([](json& header) { header[kNorm]["more"] = 1; }));
  EXPECT_TRUE(refused([](json& header) { header[kNorm] = 5; }));
  EXPECT_TRUE(refused([](json& header) { header[kNorm].erase("data_offsets"); }));
  for (const json& offsets :
       {json{-32, 0}, json{0.0, 32.0}, json{32, 0}, json{0}, json{0, 32, 64}, json{"0", "32"},
        json{18446744073709551584ULL, 0}, json{1ULL << 40, (1ULL << 40) + 32}, json(nullptr)}) {
    EXPECT_TRUE(refused([&](json& header) { header[kNorm]["data_offsets"] = offsets; })) << offsets;
  }
  // Overlap: the first 32 bytes belong to the embeddings already.
  EXPECT_TRUE(refused([](json& header) { header[kNorm]["data_offsets"] = {0, 32}; }));
}

TEST_F(SafetensorsTest, HostileText) {
  const std::string good = [&] {
    uint64_t size = 0;
    std::memcpy(&size, file_.data(), 8);
    return std::string(file_.begin() + 8, file_.begin() + 8 + static_cast<long>(size));
  }();
  EXPECT_EQ(refusal(with_text(good)), "");
  // A key twice: which one counts would depend on the reader.
  EXPECT_NE(refusal(with_text("{\"__metadata__\":{}," + good.substr(1))), "");
  EXPECT_NE(refusal(with_text("[]")), "");
  EXPECT_NE(refusal(with_text("{\"\xFF\":1}")), "");
  EXPECT_NE(refusal(with_text(std::string(100'000, '['))), "");
  EXPECT_NE(refusal(with_text(good + std::string(1 << 20, ' '))), "");
  for (const uint64_t size :
       {uint64_t{0}, uint64_t{file_.size() - 7}, ~uint64_t{0}, ~uint64_t{0} - 8}) {
    Bytes file = file_;
    std::memcpy(file.data(), &size, 8);
    EXPECT_NE(refusal(file), "") << size;
  }
}

TEST_F(SafetensorsTest, EveryCutAndEveryAddedByteIsRefused) {
  for (size_t size = 0; size < file_.size(); size += 1 + size / 50) {
    EXPECT_NE(refusal(Bytes(file_.begin(), file_.begin() + static_cast<long>(size))), "") << size;
  }
  Bytes longer = file_;
  longer.push_back(0);
  EXPECT_NE(refusal(longer), "");
}

TEST_F(SafetensorsTest, ValuesAreFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> theta = theta_;
    theta.back() = bad;
    EXPECT_NE(refusal(to_safetensors(theta, layout_)).find("NaN or infinity"), std::string::npos);
  }
}

}  // namespace
}  // namespace train
