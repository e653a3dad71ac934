// The same keys and addresses on both sides, as the ledger's prefunded accounts show.
const ADDRESSES = {
  '//Alice': '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  '//Bob': '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty',
  '//Charlie': '5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y',
};

export async function keys({ checks, api, keyring, netuid }) {
  for (const [uri, address] of Object.entries(ADDRESSES)) {
    checks.equal(`${uri} is whom everybody knows`, keyring.addFromUri(uri).address, address);
    const account = await api.query.system.account(address);
    checks.ok(`${uri} has TAO`, account.data.free.toBigInt() >= 10n ** 14n, account.data.free.toHuman());
  }
  const owner = (await api.query.subtensorModule.subnetOwnerHotkey(netuid)).toString();
  checks.equal('//Alice//hot, derived twice, owns the subnet', owner, keyring.addFromUri('//Alice//hot').address);
  const ed = keyring.addFromUri('//Ed', {}, 'ed25519');
  const alice = keyring.addFromUri('//Alice');
  const { nonce } = await api.query.system.account(alice.address);
  checks.equal('a nonce is a number', nonce.toNumber(), 0);
  checks.ok('an ed25519 key has an address, too', ed.address.startsWith('5'), ed.address);
}
