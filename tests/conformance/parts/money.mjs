// Transfers, fees, batches, sudo; what goes wrong, by its name.
import { u8aToHex } from '@polkadot/util';
import { refusal, send, until } from '../lib/chain.mjs';

const TAO = 1_000_000_000n;
const free = async (api, address) => (await api.query.system.account(address)).data.free.toBigInt();

export async function money({ checks, api, http, ws, keyring }) {
  const [alice, bob, dave] = ['//Alice', '//Bob', '//Dave'].map((uri) => keyring.addFromUri(uri));
  const poor = keyring.addFromUri('//Poor');
  const transfer = api.tx.balances.transferKeepAlive(bob.address, 3n * TAO);
  const info = await transfer.paymentInfo(alice);
  const [before, had] = [await free(api, bob.address), await free(api, alice.address)];
  const sent = await send(api, transfer, alice);
  checks.equal('a transfer is signed, sent and finalized', sent.error, null);
  checks.equal('on its way it is Ready, InBlock, Finalized', sent.statuses, ['Ready', 'InBlock', 'Finalized']);
  checks.equal('its events', sent.events,
    ['balances.Transfer', 'transactionPayment.TransactionFeePaid', 'system.ExtrinsicSuccess']);
  checks.equal('the receiver has it', (await free(api, bob.address) - before).toString(), (3n * TAO).toString());
  const paid = had - await free(api, alice.address) - 3n * TAO;
  checks.equal('the fee is the one that was asked for before', paid.toString(), info.partialFee.toString());
  const fee = sent.records.find(({ event }) => event.method === 'TransactionFeePaid').event.data;
  checks.equal('and the one that the event names', fee.actualFee.toString(), paid.toString());

  const plain = keyring.addFromUri('//OverHttp').address;
  const hash = await http.tx.balances.transferKeepAlive(plain, TAO).signAndSend(alice);
  checks.ok('over HTTP a transfer is taken, too', /^0x[0-9a-f]{64}$/.test(hash.toHex()), hash.toHex());
  const arrived = await until(() => free(http, plain), (rao) => rao > 0n);
  checks.equal('and arrives', arrived.toString(), TAO.toString());

  const mortal = await send(api, api.tx.balances.transferAllowDeath(bob.address, TAO), alice, { era: 16, tip: 77 });
  checks.equal('a mortal one with a tip, too', mortal.error, null);
  const remark = await send(api, api.tx.system.remarkWithEvent('0x1234'), alice, { era: 0 });
  checks.ok('a remark is remarked', remark.events.includes('system.Remarked'), remark.events.join(' '));

  const tooMuch = await send(api, api.tx.balances.transferKeepAlive(bob.address, 10n ** 17n), alice);
  checks.equal('more than there is: the error by name', tooMuch.error, '{"token":"FundsUnavailable"}');
  checks.ok('who has nothing is refused at the pool',
    (await refusal(api, api.tx.balances.transferKeepAlive(bob.address, 1), poor))?.includes('Inability to pay'),
    await refusal(api, api.tx.balances.transferKeepAlive(bob.address, 1), poor));
  checks.ok('an old nonce is outdated',
    (await refusal(api, api.tx.system.remark('0x'), alice, { nonce: 0 }))?.includes('outdated'));
  const forged = api.tx.system.remark('0x01');
  await forged.signAsync(alice);
  const bytes = forged.toU8a();
  bytes[60] ^= 1;  // Within the signature.
  const word = await ws.send('author_submitExtrinsic', [u8aToHex(bytes)])
    .then(() => null, (error) => error.message);
  checks.ok('a bad signature is one', word?.includes('bad signature'), word);

  const batch = await send(api, api.tx.utility.batchAll([
    api.tx.balances.transferKeepAlive(dave.address, TAO), api.tx.system.remark('0x02')]), alice);
  checks.equal('a batch is done', [batch.error, batch.events.at(-3)], [null, 'utility.BatchCompleted']);
  const broken = await send(api, api.tx.utility.batch([
    api.tx.system.remark('0x03'), api.tx.balances.transferKeepAlive(bob.address, 10n ** 17n)]), alice);
  checks.ok('a batch that breaks says where', broken.events.includes('utility.BatchInterrupted'), broken.events.join(' '));

  const sudo = await send(api, api.tx.sudo.sudo(api.tx.adminUtils.sudoSetTempo(1, 20)), alice);
  const sudid = sudo.records.find(({ event }) => event.method === 'Sudid');
  checks.equal('sudo does as root what it was told', sudid?.event.data[0].isOk, true);
  const nobody = await send(api, api.tx.sudo.sudo(api.tx.system.remark('0x')), bob);
  checks.equal('others may not', nobody.error, 'sudo.RequireSudo');
}
