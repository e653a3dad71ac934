// Timelock encryption by an outsider's curve (@noble/curves), to be opened by the ledger: what
// chain.md of drand's tle crate says, and nothing of Muster's code.
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { bls12_381 as bls } from '@noble/curves/bls12-381';

const DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_';
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

function little(value, size) {
  const out = Buffer.alloc(size);
  for (let i = 0; i < size; i += 1) out[i] = Number((value >> BigInt(8 * i)) & 255n);
  return out;
}

// The target group's element as arkworks writes it: twelve numbers of 48 bytes.
function gtBytes(gt) {
  const parts = [];
  for (const six of [gt.c0, gt.c1]) {
    for (const two of [six.c0, six.c1, six.c2]) parts.push(little(two.c0, 48), little(two.c1, 48));
  }
  return Buffer.concat(parts);
}

const xor = (a, b) => Buffer.from(a.map((byte, i) => byte ^ b[i]));
const sized = (bytes) => Buffer.concat([little(BigInt(bytes.length), 8), bytes]);

// `publicKey`: 96 bytes of G2.
export function encrypt(plaintext, round, publicKey) {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(round));
  const q = bls.G1.hashToCurve(sha256(message), { DST });
  const esk = randomBytes(32);
  const sigma = randomBytes(32);
  const r = BigInt(`0x${sha256(sigma, esk).toString('hex')}`) % bls.fields.Fr.ORDER;
  const key = bls.G2.ProjectivePoint.fromHex(Buffer.from(publicKey).toString('hex'));
  const u = bls.G2.ProjectivePoint.BASE.multiply(r);
  const g = bls.pairing(bls.G1.ProjectivePoint.fromAffine(q.toAffine()), key.multiply(r));
  const v = xor(sigma, sha256(gtBytes(g)));
  const w = xor(esk, sha256(sigma));
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', esk, nonce);
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  const body = Buffer.concat([sized(sealed), sized(nonce)]);
  return Buffer.concat([Buffer.from(u.toRawBytes(true)), sized(v), sized(w), sized(body),
    sized(Buffer.from('AES_GCM_'))]);
}
