// Connecting, metadata, runtime version, heads: what a client does at its start.
import { blake2AsHex } from '@polkadot/util-crypto';

const INDICES = {
  system: 0, timestamp: 2, balances: 5, transactionPayment: 6, subtensorModule: 7, utility: 11,
  sudo: 12, commitments: 18, adminUtils: 19, drand: 26,
};

function heads(api, wanted) {
  return new Promise((resolve, reject) => {
    const seen = [];
    let stop;
    api.rpc.chain.subscribeNewHeads((header) => {
      seen.push(header);
      if (seen.length < wanted) return;
      stop?.();
      resolve(seen);
    }).then((end) => { stop = end; }, reject);
  });
}

export async function connecting({ checks, api, http, ws }) {
  checks.equal('polkadot-js reads metadata of version 15 over WebSocket', api.runtimeMetadata.version, 15);
  checks.equal('and over HTTP', http.runtimeMetadata.version, 15);
  checks.equal('both see one chain', http.genesisHash.toHex(), api.genesisHash.toHex());
  const fourteen = await api.rpc.state.getMetadata();
  checks.equal('state_getMetadata gives version 14', fourteen.version, 14);
  const missing = await ws.send('state_call', ['Metadata_metadata_at_version', '0x10000000']);
  checks.equal('version 16 is not there', missing, '0x00');
  checks.equal('the runtime says what its metadata says', api.consts.system.version.specVersion.toNumber(),
    (await api.rpc.state.getRuntimeVersion()).specVersion.toNumber());
  for (const { name, index } of api.runtimeMetadata.asLatest.pallets) {
    const camel = name.toString()[0].toLowerCase() + name.toString().slice(1);
    checks.equal(`pallet ${name} has mainnet's number`, index.toNumber(), INDICES[camel]);
  }
  checks.equal('set_weights has mainnet\'s number', Array.from(api.tx.subtensorModule.setWeights.callIndex), [7, 0]);
  checks.equal('commit_timelocked_weights, too',
    Array.from(api.tx.subtensorModule.commitTimelockedWeights.callIndex), [7, 113]);

  const seen = await heads(api, 3);
  checks.ok('new heads come by subscription', seen.length === 3, seen.map((head) => head.number.toNumber()).join(' '));
  for (const header of seen) {
    const hash = await api.rpc.chain.getBlockHash(header.number.unwrap());
    checks.equal(`the hash of block ${header.number} is the one polkadot-js computes`, hash.toHex(), header.hash.toHex());
    checks.equal('which is BLAKE2b-256 of its header', blake2AsHex(header.toU8a()), hash.toHex());
  }
  checks.equal('each head names the one before it', seen[2].parentHash.toHex(), seen[1].hash.toHex());
  const methods = (await api.rpc.rpc.methods()).methods.map((one) => one.toString());
  checks.ok('rpc_methods lists what there is', methods.includes('state_subscribeStorage'), `${methods.length} methods`);
  const health = await http.rpc.system.health();
  checks.equal('HTTP answers, too', health.isSyncing.toHuman(), false);
}
