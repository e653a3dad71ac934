// Writes one call of each kind, as polkadot-js encodes it from the ledger's own metadata, into
// FOLDER: the seeds of tests/fuzz/corpus/ledger_call (`node seeds.mjs PATH_OF_MUSTER FOLDER`).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { Ledger } from './lib/ledger.mjs';

const [program, folder] = process.argv.slice(2);
const ledger = await Ledger.start(program, ['--dev', '--block-ms', '250']);
const api = await ApiPromise.create({ provider: new WsProvider(ledger.ws), noInitWarn: true });
const keyring = new Keyring({ type: 'sr25519' });
const address = (uri) => keyring.addFromUri(uri).address;

// A value of each type that says something on a development network.
function value(name, type) {
  const inner = api.tx.system.remark('0x0102');
  if (name === 'netuid' || name.endsWith('_netuid')) return 1;
  if (['coldkey', 'dest', 'who', 'new', 'destination_coldkey'].includes(name)) return address('//Bob');
  if (name.includes('hotkey')) return address('//Alice//hot');
  if (name === 'calls') return [inner, api.tx.balances.transferKeepAlive(address('//Bob'), 1000)];
  if (name === 'call') return inner;
  if (['dests', 'uids', 'weights', 'values', 'salt'].includes(name)) return [0];
  if (name === 'commit_reveal_version') return 4;
  if (name === 'amount_staked' || name === 'amount_unstaked' || name === 'alpha_amount') return 3_000_000_000;
  if (name === 'limit_price') return type.startsWith('Option') ? null : 1_000_000_000;
  if (name === 'ip_type') return 4;
  if (name === 'ip') return 0x01020304;
  return api.registry.createType(type).toU8a();
}

for (const [section, calls] of Object.entries(api.tx)) {
  for (const call of Object.values(calls)) {
    const args = call.meta.args.map(({ name, type }) => value(name.toString(), type.toString()));
    const pallet = api.runtimeMetadata.asLatest.pallets.find((one) => one.index.toNumber() === call.callIndex[0]);
    writeFileSync(join(folder, `${pallet.name}.${call.meta.name}`), call(...args).method.toU8a());
  }
}
await api.disconnect();
await ledger.stop();
