// Goal: the clients that the world uses take Muster's ledger for a Substrate chain with Bittensor's
// pallets: polkadot-js, over WebSocket and over HTTP, finds by metadata all that a subnet's people
// do, and understands all that comes of it.
// Method: a ledger of its own on a free port (`node run.mjs PATH_OF_MUSTER PATH_OF_CLIENT`),
// everything by polkadot-js's own means; then Muster's client (client.cpp), whose work polkadot-js
// reads. Each check is a line, and the exit code says whether all hold.
import { ApiPromise, HttpProvider, Keyring, WsProvider } from '@polkadot/api';
import { Checks } from './lib/checks.mjs';
import { Client } from './lib/client.mjs';
import { Ledger } from './lib/ledger.mjs';
import { connecting } from './parts/connecting.mjs';
import { keys } from './parts/keys.mjs';
import { money } from './parts/money.mjs';
import { neurons } from './parts/neurons.mjs';
import { ours } from './parts/ours.mjs';
import { reading } from './parts/reading.mjs';
import { weights } from './parts/weights.mjs';

const TIME_LIMIT_MS = 240_000;

const [program, clientProgram] = process.argv.slice(2);
if (!clientProgram) {
  console.error('usage: node run.mjs PATH_OF_MUSTER PATH_OF_CLIENT');
  process.exit(2);
}
const overtime = setTimeout(() => {
  console.log('FAIL  the checks took too long');
  process.exit(1);
}, TIME_LIMIT_MS);

const checks = new Checks();
const ledger = await Ledger.start(program, ['--dev', '--block-ms', '250']);
const options = { throwOnConnect: true, noInitWarn: true };
const ws = new WsProvider(ledger.ws);
const api = await ApiPromise.create({ provider: ws, ...options });
const http = await ApiPromise.create({ provider: new HttpProvider(ledger.http), ...options });
const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });
const client = new Client(clientProgram, ledger.ws, 1);
const world = { checks, ledger, api, http, ws, keyring, client, netuid: 1 };

for (const [name, part] of Object.entries({ connecting, keys, money, neurons, weights, reading, ours })) {
  await checks.part(name, () => part(world));
}

client.stop();
await api.disconnect();
await http.disconnect();
checks.equal('the ledger ends cleanly when it is told to', await ledger.stop(), 0);
clearTimeout(overtime);
console.log(`${checks.passed} checks hold, ${checks.failed} do not`);
process.exit(checks.failed === 0 ? 0 : 1);
