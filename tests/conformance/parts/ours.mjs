// Muster's own client, read by polkadot-js: the bytes of every call there is, extrinsics as they
// stand in blocks, and what its doors have done to the chain.
import { blake2AsHex } from '@polkadot/util-crypto';
import { Samples } from '../lib/calls.mjs';
import { send, until } from '../lib/chain.mjs';

const TAO = 1_000_000_000;

async function everyCall({ checks, api, keyring }, client) {
  const calls = new Samples(api, keyring).all();
  let alike = 0;
  let read = 0;
  for (const { pallet, name, theirs, mine } of calls) {
    const plan = await client.ask({ do: 'plan', key: '//Dave', pallet, call: name, arguments: mine });
    if (plan.bytes !== theirs.method.toHex()) {
      checks.ok(`${pallet}.${name} is the same bytes`, false, plan.error ?? `${plan.bytes} is not ${theirs.method.toHex()}`);
      continue;
    }
    alike += 1;
    const call = api.createType('Call', plan.bytes);
    const [a, b] = [call, theirs.method].map((one) => JSON.stringify(one.toHuman()));
    if (a === b && call.meta.name.toString() === name) read += 1;
    else checks.ok(`${pallet}.${name} is read as it was meant`, false, a);
  }
  checks.equal('every call of our client is byte for byte the one that polkadot-js makes', alike, calls.length);
  checks.equal('and is read back to the same names and values', read, calls.length);
}

async function extrinsicAt(api, number, hash) {
  const { block } = await api.rpc.chain.getBlock(await api.rpc.chain.getBlockHash(number));
  return block.extrinsics.find((one) => one.hash.toHex() === hash);
}

async function asItStands({ checks, api, keyring }, client) {
  const dave = keyring.addFromUri('//Dave');
  const { nonce } = await api.query.system.account(dave.address);
  const sent = await client.do('send', '//Dave', {
    pallet: 'Balances', call: 'transfer_keep_alive', arguments: { dest: keyring.addFromUri('//Eve').address, value: 5 * TAO },
    tip: 4321, era: 32,
  });
  const found = await extrinsicAt(api, sent.block, sent.hash);
  checks.ok('our extrinsic stands in the block that our client names, under its hash', found !== undefined, sent.hash);
  checks.equal('which is BLAKE2b-256 of its bytes', blake2AsHex(found.toU8a()), sent.hash);
  checks.equal('its signer, nonce and tip', [found.signer.toString(), found.nonce.toNumber(), found.tip.toNumber()],
    [dave.address, nonce.toNumber(), 4321]);
  checks.equal('its era', found.era.asMortalEra.period.toNumber(), 32);
  checks.equal('its call', found.method.toHuman(), api.tx.balances.transferKeepAlive(keyring.addFromUri('//Eve').address, 5 * TAO).method.toHuman());
}

// The calls that `signers` have signed in the blocks since `first`, in order.
async function signedSince(api, first, signers) {
  const head = (await api.rpc.chain.getHeader()).number.toNumber();
  const found = [];
  for (let number = first; number <= head; number += 1) {
    const { block } = await api.rpc.chain.getBlock(await api.rpc.chain.getBlockHash(number));
    for (const one of block.extrinsics) {
      if (one.isSigned && signers.includes(one.signer.toString())) found.push(one.method);
    }
  }
  return found;
}

const row = async ({ api, netuid }, uid) =>
  (await api.query.subtensorModule.weights(netuid, uid)).map(([to, value]) => [to.toNumber(), value.toNumber()]);

async function sudo({ api, keyring }, call) {
  await send(api, api.tx.sudo.sudo(call), keyring.addFromUri('//Alice'));
}

// What the rate limit asks for is read from the sentence, as a person would.
async function setWeights(client, weights) {
  return until(() => client.ask({ do: 'set_weights', key: '//Dave//hot', weights }),
    (answer) => !answer.error?.includes(': wait '));
}

async function threeWays(world, client, uid) {
  const { checks, api, netuid } = world;
  checks.equal('our client commits weights under a time lock', await setWeights(client, [[0, 1], [1, 4]]), { done: true });
  const opened = await until(() => row(world, uid), (weights) => weights.length === 2);
  checks.equal('the ledger opens them', opened, [[0, 16384], [1, 65535]]);

  await sudo(world, api.tx.adminUtils.sudoSetCommitRevealVersion(3));
  checks.equal('our client commits a hash of weights', await setWeights(client, [[0, 1]]), { done: true });
  const revealed = await until(async () => {
    await client.do('tend', '//Dave//hot');
    return row(world, uid);
  }, (weights) => weights.length === 1);
  checks.equal('and reveals them in their epoch', revealed, [[0, 65535]]);

  await sudo(world, api.tx.adminUtils.sudoSetCommitRevealVersion(4));
  await sudo(world, api.tx.adminUtils.sudoSetCommitRevealWeightsEnabled(netuid, false));
  checks.equal('our client sets weights', await setWeights(client, [[2, 3], [1, 1]]), { done: true });
  checks.equal('and there they are', await row(world, uid), [[2, 65535], [1, 21845]]);
}

export async function ours(world) {
  const { checks, api, keyring, netuid, client } = world;
  const [dave, hot] = ['//Dave', '//Dave//hot'].map((uri) => keyring.addFromUri(uri));
  await everyCall(world, client);
  await asItStands(world, client);
  const first = (await api.rpc.chain.getHeader()).number.toNumber() + 1;
  const { uid } = await client.do('register_neuron', '//Dave', { hotkey: hot.address });
  checks.equal('our client registers a neuron', (await api.query.subtensorModule.keys(netuid, uid)).toString(), hot.address);
  await client.do('add_stake', '//Dave', { hotkey: hot.address, amount: 2000 * TAO });
  await client.do('serve_axon', '//Dave//hot', { ip: 0x05060708, port: 4242 });
  const axon = (await api.query.subtensorModule.axons(netuid, hot.address)).unwrap();
  checks.equal('announces an axon', [axon.ip.toNumber(), axon.port.toNumber(), axon.ipType.toNumber()], [0x05060708, 4242, 4]);
  await client.do('commit', '//Dave//hot', { text: 'round 7' });
  const info = (await api.query.commitments.commitmentOf(netuid, hot.address)).unwrap().info;
  checks.equal('commits', info.fields[0].asRaw7.toUtf8(), 'round 7');
  await client.do('transfer', '//Dave', { to: keyring.addFromUri('//Ours').address, amount: 3 * TAO });
  checks.equal('pays', (await api.query.system.account(keyring.addFromUri('//Ours').address)).data.free.toNumber(), 3 * TAO);
  await until(() => api.query.subtensorModule.validatorPermit(netuid), (list) => list[uid]?.isTrue);
  await threeWays(world, client, uid);

  const signed = await signedSince(api, first, [dave.address, hot.address]);
  const names = signed.map((one) => `${one.section}.${one.method}`);
  checks.equal('in the blocks stand the calls that were meant, and no others', names, [
    'subtensorModule.burnedRegister', 'subtensorModule.addStake', 'subtensorModule.serveAxon', 'commitments.setCommitment',
    'balances.transferKeepAlive', 'subtensorModule.commitTimelockedWeights', 'subtensorModule.commitWeights',
    'subtensorModule.revealWeights', 'subtensorModule.setWeights']);
  const human = (one) => one.args.map((arg) => arg.toHuman());
  checks.equal('with the stake that was meant', human(signed[1]), [hot.address, '1', '2,000,000,000,000']);
  checks.equal('with the weights that were meant', human(signed.at(-1)), ['1', ['2', '1'], ['3', '1'], '0']);
  const poor = await client.ask({ do: 'transfer', key: '//Penniless', to: dave.address, amount: 5 });
  checks.ok('what the ledger refuses, our client explains', poor.error?.includes('not enough free TAO'), poor.error);
}
