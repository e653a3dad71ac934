// Writes bls381.json: golden numbers for chain/timelock, computed by @noble/curves 2.4.0 (MIT).
//
//   npm i @noble/curves@2.4.0 && node make_bls381_noble.mjs > bls381.json
//
// Draws its numbers from SHA-256 of counters, so that every run writes the same file.
import {createCipheriv, createHash, hkdfSync} from 'node:crypto';
import {bls12_381 as bls} from '@noble/curves/bls12-381.js';

const {Fp, Fp2, Fp12, Fr} = bls.fields;
const sha256 = (...parts) => {
  const hash = createHash('sha256');
  parts.forEach((part) => hash.update(part));
  return hash.digest();
};
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const number = (bytes) => BigInt('0x' + hex(bytes));
const draw = (name, size) => {
  let out = Buffer.alloc(0);
  for (let i = 0; out.length < size; ++i) out = Buffer.concat([out, sha256(`${name} ${i}`)]);
  return out.subarray(0, size);
};
const scalarHex = (scalar) => scalar.toString(16).padStart(64, '0');

const scalars = [1n, 2n, 3n, 15n, 16n, 17n, Fr.ORDER - 2n, Fr.ORDER - 1n];
for (let i = 0; i < 8; ++i) scalars.push(number(draw(`scalar ${i}`, 64)) % Fr.ORDER);
const multiples = scalars.map((scalar) => ({
  scalar: scalarHex(scalar),
  g1: bls.G1.Point.BASE.multiply(scalar).toHex(true),
  g2: bls.G2.Point.BASE.multiply(scalar).toHex(true),
}));

// 576 bytes, little-endian coordinates, as arkworks writes them.
const gtBytes = (gt) => Buffer.concat([gt.c0, gt.c1].flatMap((six) =>
  [six.c0, six.c1, six.c2].flatMap((two) => [two.c0, two.c1].map((x) =>
    Buffer.from(x.toString(16).padStart(96, '0'), 'hex').reverse()))));

const pairings = [];
for (let i = 0; i < 6; ++i) {
  const a = scalars[i + 6];
  const b = scalars[13 - i];
  const gt = bls.pairing(bls.G1.Point.BASE.multiply(a), bls.G2.Point.BASE.multiply(b));
  pairings.push({a: scalarHex(a), b: scalarHex(b), sha256: hex(sha256(gtBytes(gt)))});
}

const hashes = [];
for (let i = 0; i < 12; ++i) {
  const message = draw(`message ${i}`, 7 * i);
  const dst = 'MUSTER-TEST-' + i;
  hashes.push({message: hex(message), dst, point: bls.G1.hashToCurve(message, {DST: dst}).toHex(true)});
}

// Points of the whole curve, almost never in the subgroup: the first x from a drawn one on that has
// a y. And r times each, whose order divides the cofactor: the worst kind.
const outside = {g1: [], g2: []};
const small = {g1: [], g2: []};
// By hand, for noble writes only points of the subgroup.
const compressed = (point) => {
  const {x, y} = point.toAffine();
  const parts = (a) => (typeof a === 'bigint' ? [a] : [a.c1, a.c0]);
  const bytes = Buffer.from(parts(x).map((c) => c.toString(16).padStart(96, '0')).join(''), 'hex');
  const leading = parts(y).find((c) => c !== 0n) ?? 0n;
  bytes[0] |= leading > (Fp.ORDER - 1n) / 2n ? 0xa0 : 0x80;
  return hex(bytes);
};
const add = (name, Point, field, b, xs) => {
  for (const x of xs) {
    try {
      const y = field.sqrt(field.add(field.mul(field.sqr(x), x), b));
      const point = Point.fromAffine({x, y});
      if (point.isTorsionFree()) continue;
      outside[name].push(compressed(point));
      small[name].push(compressed(point.multiplyUnsafe(Fr.ORDER - 1n).add(point)));
      return;
    } catch (error) {
      if (!error.message.includes('square root')) throw error;
    }
  }
};
function* from(first, wrap) {
  for (let x = first;; ++x) yield wrap(x);
}
for (let i = 0; i < 4; ++i) {
  const first = number(draw(`outside ${i}`, 64)) % Fp.ORDER;
  add('g1', bls.G1.Point, Fp, 4n, from(first, (x) => x));
  add('g2', bls.G2.Point, Fp2, Fp2.create({c0: 4n, c1: 4n}),
      from(first, (x) => Fp2.create({c0: x, c1: x ^ 1n})));
}

// KeyGen of draft-irtf-cfrg-bls-signature-05 with Node's own HKDF; signatures by noble.
const kDst = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_';
const roundBytes = (round) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(round));
  return bytes;
};
const roundPoint = (round) => bls.G1.hashToCurve(sha256(roundBytes(round)), {DST: kDst});
const keyOf = (seed) => {
  const okm = hkdfSync('sha256', Buffer.concat([seed, Buffer.from([0])]),
                       sha256('BLS-SIG-KEYGEN-SALT-'), Buffer.from([0, 48]), 48);
  return number(Buffer.from(okm)) % Fr.ORDER;
};
const beacons = [];
for (const size of [32, 33, 64]) {
  const seed = draw(`seed ${size}`, size);
  const secret = keyOf(seed);
  const rounds = [0, 1, 1000, '18446744073709551615'].map((round) => ({
    round: String(round), signature: roundPoint(round).multiply(secret).toHex(true)}));
  beacons.push({seed: hex(seed), key: bls.G2.Point.BASE.multiply(secret).toHex(true), rounds});
}

// The scheme of the runtime's `tle` crate, written again from its description.
const le64 = (n) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes;
};
const xor = (a, b) => Buffer.from(a.map((x, i) => x ^ b[i]));
const encrypt = (plaintext, round, key, esk, sigma, nonce) => {
  const r = number(sha256(sigma, esk)) % Fr.ORDER;
  const shared = bls.pairing(roundPoint(round), bls.G2.Point.fromHex(key).multiply(r));
  const aes = createCipheriv('aes-256-gcm', esk, nonce);
  const sealed = Buffer.concat([aes.update(plaintext), aes.final(), aes.getAuthTag()]);
  const body = Buffer.concat([le64(sealed.length), sealed, le64(12), nonce]);
  return Buffer.concat([
    bls.G2.Point.BASE.multiply(r).toBytes(true),
    le64(32), xor(sigma, sha256(gtBytes(shared))), le64(32), xor(esk, sha256(sigma)),
    le64(body.length), body, le64(8), Buffer.from('AES_GCM_')]);
};
const ciphertexts = [];
[0, 1, 33, 255, 1200].forEach((size, i) => {
  const esk = draw(`esk ${i}`, 32);
  const sigma = draw(`sigma ${i}`, 32);
  const nonce = draw(`nonce ${i}`, 12);
  const plaintext = draw(`plaintext ${i}`, size);
  const beacon = beacons[i % beacons.length];
  const {round, signature} = beacon.rounds[i % 4];
  ciphertexts.push({key: beacon.key, round, signature, esk: hex(esk), sigma: hex(sigma),
                    nonce: hex(nonce), plaintext: hex(plaintext),
                    ciphertext: hex(encrypt(plaintext, round, beacon.key, esk, sigma, nonce))});
});

console.log(JSON.stringify({about: '@noble/curves 2.4.0, by make_bls381_noble.mjs', multiples,
                            pairings, hashes, outside, small, beacons, ciphertexts}, null, 1));
