// Weights: set, committed and revealed by hash, committed under a time lock that the ledger's own
// beacon opens.
import { u8aToHex } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';
import { send, until } from '../lib/chain.mjs';
import { encrypt } from '../lib/timelock.mjs';

const row = async (api, netuid, uid) =>
  (await api.query.subtensorModule.weights(netuid, uid)).map(([to, value]) => [to.toNumber(), value.toNumber()]);
const epochOf = async (api, netuid) => (await api.query.subtensorModule.subnetEpochIndex(netuid)).toNumber();

async function rested(api, netuid, uid) {
  const limit = (await api.query.subtensorModule.weightsSetRateLimit(netuid)).toNumber();
  const last = (await api.query.subtensorModule.lastUpdate(netuid))[uid].toNumber();
  await until(async () => (await api.rpc.chain.getHeader()).number.toNumber(), (number) => number >= last + limit);
}

async function byHash({ checks, api, keyring, netuid }, hotkey) {
  const uids = [0, 2];
  const values = [10, 40];
  const salt = [1, 2, 3, 4];
  const committed = api.registry.createType('(AccountId32, u16, Vec<u16>, Vec<u16>, Vec<u16>, u64)',
    [hotkey.address, netuid, uids, values, salt, 0]);
  const hash = blake2AsHex(committed.toU8a());
  await rested(api, netuid, 1);
  const commit = await send(api, api.tx.subtensorModule.commitWeights(netuid, hash), hotkey);
  checks.ok('a hash of weights is committed', commit.events.includes('subtensorModule.WeightsCommitted'), commit.error ?? '');
  const reveal = () => api.tx.subtensorModule.revealWeights(netuid, uids, values, salt, 0);
  const epoch = await epochOf(api, netuid);
  const early = await send(api, reveal(), hotkey).catch((error) => ({ error: error.message }));
  checks.ok('too early is refused', String(early.error).includes('Custom error: 17'), String(early.error));
  await until(() => epochOf(api, netuid), (now) => now > epoch);
  const revealed = await send(api, reveal(), hotkey);
  checks.ok('an epoch later it is revealed', revealed.events.includes('subtensorModule.WeightsRevealed'), revealed.error ?? '');
  checks.equal('and the weights are these', await row(api, netuid, 1), [[0, 16384], [2, 65535]]);
  checks.equal('nobody else could have', await row(api, netuid, 2), []);
}

async function byTimelock({ checks, api, netuid }, hotkey) {
  const beacon = await api.query.drand.beaconConfig();
  const period = beacon.period.toNumber();
  const now = (await api.query.timestamp.now()).toNumber() / 1000;
  // A round in the epoch after this one; blocks come four a second, an epoch has twenty.
  const round = Math.floor((now - beacon.genesisTime.toNumber()) / period) + 3;
  const payload = api.registry.createType('(Bytes, Vec<u16>, Vec<u16>, u64)', [u8aToHex(hotkey.publicKey), [2], [9], 0]);
  const ciphertext = encrypt(payload.toU8a(), round, beacon.publicKey.toU8a(true).slice(-96));
  await rested(api, netuid, 1);
  const commit = await send(api, api.tx.subtensorModule.commitTimelockedWeights(netuid, `0x${ciphertext.toString('hex')}`, round, 4), hotkey);
  checks.ok('weights are committed under a time lock', commit.events.includes('subtensorModule.TimelockedWeightsCommitted'),
    commit.error ?? '');
  const opened = await until(() => row(api, netuid, 1), (weights) => weights.length === 1);
  checks.equal('the beacon opens them by itself', opened, [[2, 65535]]);
  const pulse = await api.query.drand.pulses(round);
  checks.ok('its pulse is there', pulse.isSome, `round ${round}`);
}

export async function weights(world) {
  const { checks, api, keyring, netuid } = world;
  const hotkey = keyring.addFromUri('//Bob//hot');
  const alice = keyring.addFromUri('//Alice');
  const set = () => api.tx.subtensorModule.setWeights(netuid, [0, 2], [1, 3], 0);
  const permit = await until(() => api.query.subtensorModule.validatorPermit(netuid), (list) => list[1]?.isTrue);
  checks.equal('stake brings a validator\'s permit with the epoch', permit[1]?.isTrue, true);
  await rested(api, netuid, 1);
  const done = await send(api, set(), hotkey);
  checks.ok('weights are set', done.events.includes('subtensorModule.WeightsSet'), done.error ?? '');
  checks.equal('and stored, scaled', await row(api, netuid, 1), [[0, 21845], [2, 65535]]);
  const fast = await send(api, set(), hotkey).catch((error) => ({ error: error.message }));
  checks.ok('too fast is refused', /Custom error: 6|SettingWeightsTooFast/.test(String(fast.error)), String(fast.error));
  const owner = await send(api, api.tx.adminUtils.sudoSetCommitRevealWeightsEnabled(netuid, true), alice);
  checks.equal('the owner turns commit and reveal on', owner.error, null);
  const open = await send(api, set(), hotkey);
  checks.equal('now they may not be set openly', open.error, 'subtensorModule.CommitRevealEnabled');
  await byHash(world, hotkey);
  await byTimelock(world, hotkey);
  const stranger = await send(api, api.tx.adminUtils.sudoSetCommitRevealWeightsEnabled(netuid, false), hotkey);
  checks.equal('others may not turn it off', stranger.error, 'BadOrigin');
}
