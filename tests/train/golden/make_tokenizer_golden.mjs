// Makes ../data/tokenizers/*.json: small tokenizers in the shapes of well-known ones, and the tokens
// that an outside program gives for odd and ordinary texts. Run it in a folder of its own:
//
//   npm install @huggingface/tokenizers@0.2.0 gpt-3-encoder@1.1.4 llama-tokenizer-js@1.2.2
//   cp .../tests/train/golden/make_tokenizer_golden.mjs . && node make_tokenizer_golden.mjs OUT
//
// Vocabularies: GPT-2's as gpt-3-encoder 1.1.4 (MIT) ships it and LLaMA's as llama-tokenizer-js
// 1.2.2 (MIT) does, cut down to their first merges. Tokens: @huggingface/tokenizers 0.2.0
// (Apache-2.0), with special tokens' texts kept out of the texts, as train/bpe_tokenizer.h treats
// them otherwise. Made with node 20.
//
// Two corrections to the oracle, which its own source calls wrong: JavaScript's \s holds U+FEFF and
// misses U+0085 where the pattern is built in (ByteLevel), so it is given GPT-2's pattern spelled
// out, which it translates rightly.
import fs from 'fs';
import { createRequire } from 'module';
import { Tokenizer } from '@huggingface/tokenizers';
import llama from 'llama-tokenizer-js';

const require = createRequire(import.meta.url);
const out = process.argv[2];
const kMerges = 1000;
const kGpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const kLlama3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|" +
  " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const kQwen = kLlama3.replace('{1,3}', '');
const kDeepseek = ["\\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|" +
  " ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"];

function gpt2Model(extra = {}) {
  const folder = require.resolve('gpt-3-encoder').replace(/[^/]*$/, '');
  const encoder = JSON.parse(fs.readFileSync(folder + 'encoder.json'));
  const lines = fs.readFileSync(folder + 'vocab.bpe', 'utf8').split('\n').slice(1);
  const merges = lines.slice(0, kMerges);
  const kept = Object.entries(encoder).filter(([, id]) => id < 256 + kMerges);
  return { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null,
    end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ...extra,
    vocab: Object.fromEntries(kept), merges };
}

// The three controls, the bytes, what the first merges make, and some single characters.
function llamaModel(pairs) {
  const merges = [...llama.merges.entries()].sort((a, b) => a[1] - b[1]).map((e) => e[0].split(' '))
    .slice(0, kMerges);
  const made = new Set(merges.flatMap(([a, b]) => [a, b, a + b]));
  const single = (s) => [...s].length === 1;
  const texts = llama.vocabById.filter(
    (s, i) => i < 259 || made.has(s) || (single(s) && s.codePointAt(0) < 0x500));
  return { type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null,
    end_of_word_suffix: null, fuse_unk: true, byte_fallback: true,
    vocab: Object.fromEntries(texts.map((s, i) => [s, i])),
    merges: pairs ? merges : merges.map((m) => m.join(' ')) };
}

const added = (id, content, special, more = {}) => ({ id, content, single_word: false,
  lstrip: false, rstrip: false, normalized: false, special, ...more });
const byteLevel = (more) => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, ...more });
const split = (Regex, behavior = 'Isolated') => ({ type: 'Split', pattern: { Regex }, behavior, invert: false });
const inOrder = (...pretokenizers) => ({ type: 'Sequence', pretokenizers });
const whole = (parts) => ({ version: '1.0', truncation: null, padding: null, added_tokens: [],
  normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...parts });
const n = 256 + kMerges;
const sizeOf = (model) => Object.keys(model.vocab).length;
const marks = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const controls = [added(0, '<unk>', true), added(1, '<s>', true), added(2, '</s>', true)];

const families = {
  gpt2: (oracle) => {
    const model = gpt2Model();
    delete model.type;  // As in GPT-2's own file.
    if (oracle) model.type = 'BPE';
    return whole({ added_tokens: [added(n, '<|endoftext|>', true, { normalized: true })],
      pre_tokenizer: oracle ? inOrder(split(kGpt2), byteLevel({ use_regex: false })) : byteLevel(),
      decoder: byteLevel({ add_prefix_space: true }), model });
  },
  // Llama 3: words that are tokens are not merged.
  llama3: () => whole({
    added_tokens: [added(n, '<|begin_of_text|>', true), added(n + 1, '<|end_of_text|>', true)],
    pre_tokenizer: inOrder(split(kLlama3), byteLevel({ use_regex: false })),
    decoder: byteLevel({ use_regex: true }), model: gpt2Model({ ignore_merges: true }) }),
  qwen2: () => whole({
    added_tokens: [added(n, '<|endoftext|>', true), added(n + 1, '<think>', false), added(n + 2, '</think>', false)],
    normalizer: { type: 'NFC' },
    pre_tokenizer: inOrder(split(kQwen), byteLevel({ use_regex: false })),
    decoder: byteLevel({}), model: gpt2Model() }),
  // Pythia: runs of spaces were added, and are found in the text after NFC.
  neox: (oracle) => whole({
    added_tokens: [added(n, '<|endoftext|>', true), ...[4, 3, 2].map((k, i) =>
      added(n + 1 + i, ' '.repeat(k), false, { normalized: true }))],
    normalizer: { type: 'NFC' },
    pre_tokenizer: oracle ? inOrder(split(kGpt2), byteLevel({ use_regex: false }))
      : byteLevel({ use_regex: true }), decoder: byteLevel({}), model: gpt2Model() }),
  deepseek: () => whole({
    added_tokens: [added(n, '<｜begin▁of▁sentence｜>', true), added(n + 1, '<｜end▁of▁sentence｜>', true)],
    pre_tokenizer: inOrder(...kDeepseek.map((r) => split(r)), byteLevel({ use_regex: false })),
    decoder: byteLevel({}), model: gpt2Model() }),
  // Falcon: what comes after ByteLevel sees the characters that stand for bytes.
  falcon: (oracle) => whole({
    added_tokens: [added(n, '<|endoftext|>', true)],
    pre_tokenizer: inOrder({ type: 'Punctuation', behavior: 'Contiguous' },
      ...(oracle ? [split(kGpt2), byteLevel({ use_regex: false })] : [byteLevel({ use_regex: true })]),
      { type: 'Digits', individual_digits: false }, split('[0-9][0-9][0-9]')),
    decoder: byteLevel({}), model: gpt2Model() }),
  starcoder: (oracle) => whole({
    added_tokens: [added(n, '<|endoftext|>', true)],
    pre_tokenizer: inOrder({ type: 'Digits', individual_digits: true },
      ...(oracle ? [split(kGpt2), byteLevel({ use_regex: false })] : [byteLevel({ use_regex: true })])),
    decoder: byteLevel({}), model: gpt2Model() }),
  llama2: () => whole({ added_tokens: controls,
    normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, spaces] },
    decoder: { type: 'Sequence', decoders: [marks, { type: 'ByteFallback' }, { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 }] },
    model: llamaModel(false) }),
  gemma: () => {
    const model = llamaModel(true);
    const size = sizeOf(model);
    return whole({ normalizer: spaces,
      added_tokens: [...controls, added(size, '\n\n', false), added(size + 1, '\n\n\n', false),
        added(size + 2, '▁▁', false), added(size + 3, '<table>', false)],
      pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
      decoder: { type: 'Sequence', decoders: [marks, { type: 'ByteFallback' }, { type: 'Fuse' }] }, model });
  },
  // Mistral's later files.
  metaspace: () => whole({ added_tokens: controls,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
    decoder: { type: 'Sequence', decoders: [marks, { type: 'ByteFallback' }, { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 }] },
    model: llamaModel(false) }),
};

const texts = [
  'The quick brown fox — naïve café, 1234!\n', 'Hello, world!', ' leading', 'trailing ', '   ', '\n', ' \n ',
  "I'm we'll they've he'd it's don't you're I'M WE'LL DON'T 'Twas ’tis 'sſ 'K",
  'one  two   three    four     five', '\tindented\n\t\ttwice\r\nand\r\nWindows\n\n\nlines   \n   \n',
  'int main(void) { return a[i++] + f(x, "y\\n") - 0x7F; }  // comment\n#include <stdio.h>\n',
  '0 1 12 123 1234 12345 123456 1234567 3.14159 1,000,000 2024-07-01 ½ ² Ⅷ ٣٤ १२३ 1a2b',
  'https://example.com/path?q=1&r=%20#top user@example.org', '<table> <think>yes</think> <|x|> <0x41> <unk',
  '中文字符没有空格。日本語のテキスト、カタカナとひらがな。한국어 문장입니다.', 'Русский текст, українська мова, Ελληνικά',
  'العربية نص ١٢٣ עברית', 'नमस्ते दुनिया ไทย ភាសាខ្មែរ',
  '😀 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇫🇷 ❤️', 'e\u0301 \u0065\u0301\u0300 Å Å ﬁ ﬃ ＡＢＣ ①', 'a\u00A0b\u2003c\u3000d\u200Be\u2028f\u0085g\uFEFFh',
  '▁▁ ▁ Ġ Ċ Ä the▁end', 'x'.repeat(100), 'ab'.repeat(60), ' '.repeat(65), '\n'.repeat(9), '!'.repeat(40), '😀'.repeat(12),
  'nul\u0000within\u0001\u001F\u007F', '\u{10FFFF}\u{1D518}\uE000', '___snake_case__ camelCase PascalCase kConstant',
  'He said: “It’s ‘quoted’…” — (really?) [yes] {no} $5.00 €3,50 50% #tag @me ~/.bashrc C++20 a.b.c',
  'antidisestablishmentarianism Donaudampfschifffahrtsgesellschaft',
  'To be, or not to be, that is the question:\nWhether \'tis nobler in the mind to suffer\n' +
  'The slings and arrows of outrageous fortune,\nOr to take arms against a sea of troubles',
];

const golden = { texts, tokens: {} };
for (const [name, make] of Object.entries(families)) {
  fs.writeFileSync(`${out}/${name}.json`, JSON.stringify(make(false)) + '\n');
  const oracle = new Tokenizer(make(true), {});
  golden.tokens[name] = texts.map((text) => oracle.encode(text, { add_special_tokens: false }).ids);
}
fs.writeFileSync(`${out}/golden.json`, JSON.stringify(golden) + '\n');
