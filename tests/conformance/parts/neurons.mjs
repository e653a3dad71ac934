// Registration, stake, axons, commitments, delegate take.
import { refusal, send } from '../lib/chain.mjs';

const TAO = 1_000_000_000n;

export async function neurons({ checks, api, keyring, netuid }) {
  const [bob, charlie, eve] = ['//Bob', '//Charlie', '//Eve'].map((uri) => keyring.addFromUri(uri));
  const [bobHot, charlieHot] = ['//Bob//hot', '//Charlie//hot'].map((uri) => keyring.addFromUri(uri));
  const price = (await api.query.subtensorModule.burn(netuid)).toBigInt();
  const registered = await send(api, api.tx.subtensorModule.burnedRegister(netuid, bobHot.address), bob);
  checks.equal('a neuron is registered', registered.error, null);
  const event = registered.records.find((one) => one.event.method === 'NeuronRegistered')?.event.data;
  checks.equal('its event names subnet, uid and hotkey', event?.map((one) => one.toString()), ['1', '1', bobHot.address]);
  checks.ok('the price rises', (await api.query.subtensorModule.burn(netuid)).toBigInt() > price);
  const limited = await send(api, api.tx.subtensorModule.registerLimit(netuid, charlieHot.address, 100n * TAO), charlie);
  checks.equal('another, with a limit', limited.error, null);
  checks.equal('its owner is known', (await api.query.subtensorModule.owner(charlieHot.address)).toString(), charlie.address);
  checks.equal('and its uid', (await api.query.subtensorModule.uids(netuid, charlieHot.address)).toString(), '2');
  const twice = await send(api, api.tx.subtensorModule.burnedRegister(netuid, bobHot.address), bob);
  checks.equal('twice is an error by name', twice.error, 'subtensorModule.HotKeyAlreadyRegisteredInSubNet');

  const staked = await send(api, api.tx.subtensorModule.addStake(bobHot.address, netuid, 1000n * TAO), bob);
  checks.ok('stake is added', staked.events.includes('subtensorModule.StakeAdded'), staked.events.join(' '));
  checks.equal('the hotkey holds it', (await api.query.subtensorModule.totalHotkeyAlpha(bobHot.address, netuid)).toString(),
    (1000n * TAO).toString());
  const removed = await send(api, api.tx.subtensorModule.removeStake(bobHot.address, netuid, 100n * TAO), bob);
  checks.ok('some is removed', removed.events.includes('subtensorModule.StakeRemoved'));
  const given = await send(api, api.tx.subtensorModule.transferStake(eve.address, bobHot.address, netuid, netuid, 50n * TAO), bob);
  checks.ok('some is given away', given.events.includes('subtensorModule.StakeTransferred'), given.error ?? '');
  checks.ok('the pool names Bittensor\'s custom code for a hotkey that nobody has',
    (await refusal(api, api.tx.subtensorModule.addStake(eve.address, netuid, TAO), bob))?.includes('Custom error: 4'));
  checks.ok('and for too little',
    (await refusal(api, api.tx.subtensorModule.addStake(bobHot.address, netuid, 1), bob))?.includes('Custom error: 1'));
  const take = await send(api, api.tx.subtensorModule.decreaseTake(bobHot.address, 655), bob);
  checks.equal('the delegate take is lowered', take.error, null);
  checks.equal('to what it says', (await api.query.subtensorModule.delegates(bobHot.address)).toNumber(), 655);

  const axon = await send(api, api.tx.subtensorModule.serveAxon(netuid, 1, 0x01020304, 8091, 4, 4, 0, 0), charlieHot);
  checks.equal('an axon is served, for nothing', [axon.error, axon.events.at(-1)], [null, 'system.ExtrinsicSuccess']);
  const stored = (await api.query.subtensorModule.axons(netuid, charlieHot.address)).unwrap();
  checks.equal('and read back', [stored.ip.toNumber(), stored.port.toNumber()], [0x01020304, 8091]);
  const text = Buffer.from('s3://a-bucket').toString('hex');
  const fields = [{ Raw13: `0x${text}` }];
  const committed = await send(api, api.tx.commitments.setCommitment(netuid, { fields }), charlieHot);
  checks.equal('a commitment is made', [committed.error, committed.events[0]], [null, 'commitments.Commitment']);
  const info = (await api.query.commitments.commitmentOf(netuid, charlieHot.address)).unwrap().info;
  checks.equal('and read back', info.fields[0].asRaw13.toUtf8(), 's3://a-bucket');
  const stranger = await send(api, api.tx.commitments.setCommitment(netuid, { fields }), eve);
  checks.equal('strangers may not commit', stranger.error, 'commitments.AccountNotAllowedCommit');
}
