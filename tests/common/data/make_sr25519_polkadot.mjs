// Makes sr25519_polkadot.json: accounts and signatures by an outside program, polkadot-js, whose
// sr25519 is schnorrkel compiled to WebAssembly.
//
//   npm i @polkadot/util-crypto@14.0.3 && node make_sr25519_polkadot.mjs > sr25519_polkadot.json
import { cryptoWaitReady, keyExtractSuri, keyFromPath, mnemonicToMiniSecret, encodeAddress,
  sr25519PairFromSeed, sr25519Sign } from '@polkadot/util-crypto';
import { hexToU8a, u8aToHex } from '@polkadot/util';

await cryptoWaitReady();

const words24 = `${'abandon '.repeat(23)}art`;
const phrase = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk';
const uris = [
  phrase,
  words24,
  `${words24}///a pass/with//slashes`,
  'legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth ' +
    'useful legal will',
  `0x${'01'.repeat(32)}`,
  `0x${'fe'.repeat(32)}//0//18446744073709551615/7`,
  // Encoded with their length, 32 bytes and 33: as they are, and hashed.
  `${phrase}//exactly thirty-one bytes, I say`,
  `${phrase}//now exactly thirty-two bytes yes`,
  `${phrase}/${'sixty-four'.repeat(6)}four/zürich`,
  `${phrase}/a/b/c//d/e`,
];

const seedOf = (words, password) =>
  words.startsWith('0x') ? hexToU8a(words) : mnemonicToMiniSecret(words, password);

const accounts = uris.map((uri) => {
  const { phrase: words, password, path } = keyExtractSuri(uri);
  const pair = keyFromPath(sr25519PairFromSeed(seedOf(words, password)), path, 'sr25519');
  return { uri, public: u8aToHex(pair.publicKey), ss58: encodeAddress(pair.publicKey, 42) };
});

// Around the sponge's rate of 166 bytes, and beyond.
const signer = sr25519PairFromSeed(hexToU8a(`0x${'01'.repeat(32)}`));
const signatures = [0, 1, 31, 32, 120, 164, 165, 166, 167, 332, 1000].map((size) => {
  const message = Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 255);
  return { message: u8aToHex(message), signature: u8aToHex(sr25519Sign(message, signer)) };
});
console.log(JSON.stringify({ accounts, signer: u8aToHex(signer.publicKey), signatures }, null, 1));
