#include "tests/train/small_subnet.h"

#include "common/check.h"
#include "common/philox.h"
#include "train/model.h"

namespace train {

const common::Keypair& key_of(uint16_t uid) {
  static std::map<uint16_t, common::Keypair> keys;
  const auto found = keys.find(uid);
  if (found != keys.end()) return found->second;
  return keys.emplace(uid, *common::Keypair::from_uri("//uid" + std::to_string(uid))).first->second;
}

Hash digest(uint64_t number) { return common::Hasher().number(number).finish(); }

common::Hparams small_hparams() {
  auto hparams = *common::Hparams::load(MUSTER_SOURCE_DIR "/tests/data/hparams.json");
  hparams.model.vocabulary = 16;
  hparams.model.dim = 8;
  hparams.model.layers = 1;
  hparams.model.heads = 2;
  hparams.model.kv_heads = 1;
  hparams.model.hidden = 8;
  hparams.model.sequence_length = 8;
  hparams.inner.steps = 3;
  hparams.inner.sequences_per_step = 2;
  hparams.codec.tile = 64;
  hparams.codec.keep = 8;
  return hparams;
}

SmallSubnet::SmallSubnet(uint16_t count)
    : hparams_(small_hparams()),
      layout_(parameter_layout(hparams_.model, hparams_.codec)),
      format_(codec_.format(layout_)),
      buckets_(count),
      peers_(
          [this](std::string_view address) -> common::Result<std::unique_ptr<common::ObjectStore>> {
            const size_t uid = std::stoul(std::string(address.substr(4)));
            return std::unique_ptr<common::ObjectStore>(
                std::make_unique<tests::StoreView>(buckets_[uid]));
          }) {
  std::vector<common::PeerAddress> addresses;
  for (uint16_t uid = 0; uid < count; ++uid) {
    addresses.push_back(
        {{uid}, key_of(uid).account(), common::Role::kMiner, "mem:" + std::to_string(uid)});
  }
  peers_.update(std::move(addresses));
}

Exchange SmallSubnet::exchange(uint16_t uid, uint32_t io_threads, const compress::Codec* codec) {
  return {hparams_,
          layout_,
          codec == nullptr ? codec_ : *codec,
          buckets_[uid],
          spool_ / std::to_string(uid),
          io_threads};
}

Origin SmallSubnet::origin(uint16_t uid, Window window) const {
  return {hparams_.netuid, window, {uid}, key_of(uid).account()};
}

Work SmallSubnet::work(uint16_t uid, Window window, const Hash& base_root,
                       const Change& change) const {
  const auto at = [&change](std::string_view step, Work& work) {
    if (change) change(step, work);
  };
  Work work;
  common::Philox random(common::Hasher().number(uid).number(window.index).finish());
  std::vector<float> values(layout_.parameter_count());
  for (float& value : values) value = 0.01F * static_cast<float>(random.normal());
  work.body = codec_.encode(values, layout_);
  for (uint32_t step = 0; step < 2; ++step)
    work.receipt.steps.push_back({step, {random.below(100), uid}, 3.5F});
  work.header = {.netuid = hparams_.netuid,
                 .uid = {uid},
                 .window = window,
                 .hotkey = key_of(uid).account(),
                 .hparams_hash = hparams_.hash(),
                 .base_root = base_root,
                 .receipt_root = work.receipt.root(),
                 .steps = 2,
                 .token_count = 32};
  at("header", work);
  work.plain = compress::serialise({work.header, work.body}, key_of(uid));
  at("plain", work);
  work.key = make_seal_key();
  work.sealed_contribution = seal(work.plain, work.key);
  const SealSummary summary = summarise(work.plain, work.sealed_contribution, work.key);
  work.sealed =
      make_sealed(summary, work.key, work.receipt, origin(uid, window), base_root, key_of(uid));
  work.claim = {.origin = origin(uid, window),
                .sealed_root = summary.sealed_root,
                .sealed_size = summary.sealed_size,
                .plain_hash = summary.plain_hash,
                .base_root = base_root};
  at("claim", work);
  work.sealed.claim = sign(work.claim, key_of(uid));
  at("sealed", work);
  return work;
}

common::Result<void> SmallSubnet::publish(uint16_t uid, const Work& work) {
  return exchange(uid).publish(work.sealed, common::MemorySource(work.sealed_contribution));
}

Work SmallSubnet::contribute(uint16_t uid, Window window, const Hash& base_root,
                             const Change& change) {
  Work made = work(uid, window, base_root, change);
  Exchange own = exchange(uid);
  CHECK(publish(uid, made).has_value() && own.reveal(made.sealed).has_value());
  return made;
}

std::unique_ptr<const StoredContribution> SmallSubnet::stored(const Work& work) const {
  class Own final : public common::ByteSource {
   public:
    explicit Own(common::Bytes bytes) : bytes_(std::move(bytes)) {}
    uint64_t size() const override { return bytes_.size(); }
    common::Result<void> read(uint64_t offset, std::span<uint8_t> out) const override {
      return common::MemorySource(bytes_).read(offset, out);
    }

   private:
    common::Bytes bytes_;
  };
  const compress::Expected expected{.netuid = hparams_.netuid,
                                    .uid = work.header.uid,
                                    .window = work.header.window,
                                    .hotkey = work.header.hotkey,
                                    .hparams_hash = hparams_.hash(),
                                    .base_root = work.header.base_root,
                                    .steps_max = hparams_.inner.steps};
  auto opened = StoredContribution::open(std::make_unique<Own>(work.plain),
                                         common::tree_hash(work.plain), *format_, expected);
  CHECK(opened && *opened);
  return std::move(**opened);
}

Manifest SmallSubnet::manifest(uint16_t lead, Window window, const Hash& base_root,
                               std::span<const Gathered> opened) const {
  Manifest made{.netuid = hparams_.netuid,
                .window = window,
                .hparams_hash = hparams_.hash(),
                .base_root = base_root,
                .lead = {lead},
                .lead_hotkey = key_of(lead).account(),
                .entries = {}};
  for (const Gathered& one : opened) {
    ManifestEntry entry{.uid = one.uid, .hotkey = one.hotkey, .verdict = one.verdict};
    if (one.verdict == Verdict::kAccepted) {
      entry.plain_digest = one.contribution->digest();
      entry.plain_size = one.contribution->plain().size();
      entry.weight = 1.0F;
    }
    made.entries.push_back(entry);
  }
  return made;
}

}  // namespace train
