// Everything that is stored and told, decoded: storage of all pallets, runtime APIs, events of all
// blocks, state as it was.
import { until } from '../lib/chain.mjs';

async function everyItem({ checks, api }) {
  let items = 0;
  let entries = 0;
  for (const pallet of Object.keys(api.query).filter((name) => name !== 'substrate')) {
    for (const [name, item] of Object.entries(api.query[pallet])) {
      if (!item.creator) continue;
      items += 1;
      if (item.creator.meta.type.isPlain) {
        await item();
        entries += 1;
      } else {
        entries += (await item.entries()).length;
      }
    }
  }
  checks.ok('every item of every pallet is read and decoded', entries > items, `${items} items, ${entries} entries`);
}

async function everyBlock({ checks, api }) {
  const head = (await api.rpc.chain.getHeader()).number.toNumber();
  let events = 0;
  let extrinsics = 0;
  for (let number = Math.max(1, head - 150); number <= head; number += 1) {
    const hash = await api.rpc.chain.getBlockHash(number);
    const { block } = await api.rpc.chain.getBlock(hash);
    const at = await api.at(hash);
    for (const { phase } of await at.query.system.events()) {
      if (phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() >= block.extrinsics.length) {
        checks.ok('an event belongs to an extrinsic', false, `block ${number}`);
      }
      events += 1;
    }
    for (const extrinsic of block.extrinsics) {
      extrinsics += 1;
      if (extrinsic.method.section === undefined) checks.ok('a call has a name', false, `block ${number}`);
    }
  }
  checks.ok('events and calls of all blocks are decoded', events > extrinsics, `${events} events, ${extrinsics} extrinsics`);
}

async function apis({ checks, api, keyring, netuid }) {
  const bob = keyring.addFromUri('//Bob');
  const bobHot = keyring.addFromUri('//Bob//hot');
  const graph = (await api.call.subnetInfoRuntimeApi.getMetagraph(netuid)).unwrap();
  checks.equal('the metagraph has three neurons', graph.hotkeys.length, 3);
  checks.equal('of which one is Bob\'s', graph.hotkeys[1].toString(), bobHot.address);
  const chosen = (await api.call.subnetInfoRuntimeApi.getSelectiveMetagraph(netuid, [52, 57])).unwrap();
  checks.equal('of a selective one only what was chosen is there', [chosen.hotkeys.isSome, chosen.emission.isSome], [true, false]);
  const lite = await api.call.neuronInfoRuntimeApi.getNeuronsLite(netuid);
  checks.equal('neurons by the lite API', lite.map((one) => one.uid.toNumber()), [0, 1, 2]);
  checks.equal('with their axons', lite[2].axonInfo.port.toNumber(), 8091);
  const rules = (await api.call.subnetInfoRuntimeApi.getSubnetHyperparamsV2(netuid)).unwrap();
  checks.equal('hyperparameters', [rules.tempo.toNumber(), rules.commitRevealWeightsEnabled.isTrue], [20, true]);
  const stakes = await api.call.stakeInfoRuntimeApi.getStakeInfoForColdkey(bob.address);
  checks.ok('stake of a coldkey', stakes.length === 1 && stakes[0].stake.toBigInt() >= 850n * 10n ** 9n, String(stakes[0]?.stake));
  const dynamic = await api.call.subnetInfoRuntimeApi.getAllDynamicInfo();
  checks.equal('all subnets', dynamic.filter((one) => one.isSome).length, 1);
  checks.equal('the price of alpha', (await api.call.swapRuntimeApi.currentAlphaPrice(netuid)).toString(), '1000000000');
  checks.equal('the nonce by runtime API', (await api.call.accountNonceApi.accountNonce(bob.address)).toString(),
    (await api.rpc.system.accountNextIndex(bob.address)).toString());
  const word = await api.rpc.state.call('No_such', '0x').then(() => '', (error) => error.message);
  checks.ok('an unknown one is said to be unknown, in the words that clients look for',
    word.includes('Exported method No_such is not found'), word);
}

export async function reading(world) {
  const { checks, api, http, ws, keyring } = world;
  await everyItem(world);
  await everyBlock(world);
  await apis(world);
  const alice = keyring.addFromUri('//Alice');
  const genesis = await api.at(api.genesisHash);
  checks.equal('state as it was at the beginning', (await genesis.query.system.account(alice.address)).nonce.toNumber(), 0);
  const times = [];
  const stop = await api.query.timestamp.now((now) => times.push(now.toNumber()));
  await until(async () => times.length, (count) => count >= 3);
  stop();
  checks.ok('storage is told of as it changes', times.length >= 3 && times[1] > times[0], times.slice(0, 3).join(' '));
  const keys = await http.rpc.state.getKeysPaged(api.query.system.account.keyPrefix(), 3);
  checks.equal('keys come in pages', keys.length, 3);
  const head = await ws.send('dev_newBlock', [{ count: 2 }]);
  checks.ok('a development network makes blocks on demand', /^0x[0-9a-f]{64}$/.test(head), head);
  const account = api.query.system.account.key(keyring.addFromUri('//New').address);
  const rich = api.registry.createType('FrameSystemAccountInfo', { providers: 1, data: { free: 5_000_000_000n } });
  await ws.send('dev_setStorage', [[[account, rich.toHex()]]]);
  checks.equal('and takes what it is told', (await api.query.system.account(keyring.addFromUri('//New').address)).data.free.toString(),
    '5000000000');
  const wrong = await ws.send('dev_setStorage', [[[account, '0x01']]]).then(() => '', (error) => error.message);
  checks.ok('but nothing that it could not read', wrong.includes('not of its type'), wrong);
}
