// A value for every argument of every call that the ledger has: as polkadot-js takes it, and as
// Muster's client does. Numbers are odd and large, so that a swapped byte or field shows.
const LARGE = { u8: 0xa1n, u16: 0xa1b2n, u32: 0xa1b2c3d4n, u64: 0xa1b2c3d4e5f60718n, u128: (0xa1b2n << 112n) + 7n, i16: -12345n };

export class Samples {
  constructor(api, keyring) {
    this.api = api;
    this.address = keyring.addFromUri('//Dave').address;
    const inner = api.tx.balances.transferKeepAlive(this.address, 12345);
    const innerMine = { Balances: { transfer_keep_alive: { dest: this.address, value: 12345 } } };
    const signer = [{ Sr25519: `0x${'77'.repeat(32)}` }, { Sr25519: `0x${'5a'.repeat(64)}` }];
    const block = { block_number: 77, public: signer[0] };
    const theirBlock = { blockNumber: 77, public: signer[0] };
    const pulse = { round: 1000, randomness: `0x${'11'.repeat(32)}`, signature: `0x${'22'.repeat(48)}` };
    const beacon = { period: 3, hash: `0x${'44'.repeat(32)}` };
    const mine = { public_key: `0x${'33'.repeat(96)}`, genesis_time: 1692803367, group_hash: `0x${'55'.repeat(32)}`,
      scheme_id: 'bls-unchained-g1-rfc9380', metadata: { beacon_id: 'quicknet' } };
    const theirs = { publicKey: mine.public_key, genesisTime: mine.genesis_time, groupHash: mine.group_hash,
      schemeId: mine.scheme_id, metadata: { beaconId: 'quicknet' } };
    // [polkadot-js's, ours], by the type's name.
    this.known = {
      Bytes: same(`0x${'c0ffee'.repeat(60)}`),
      'Vec<(Bytes,Bytes)>': same([['0x0102', '0x'], ['0x03', '0x0405']]),
      'Vec<Bytes>': same(['0x0102', '0x', '0x03']),
      bool: same(true),
      MultiAddress: same(this.address),
      AccountId32: same(this.address),
      H256: same(`0x${'e7'.repeat(32)}`),
      'Vec<u16>': same([0, 65535, 258]),
      'Option<u64>': same(null),
      Call: [inner, innerMine],
      'Vec<Call>': [[inner, api.tx.system.remark('0x0102')], [innerMine, { System: { remark: { remark: '0x0102' } } }]],
      PalletCommitmentsCommitmentInfo: same({ fields: [{ Raw3: '0x616263' }, { BlakeTwo256: `0x${'66'.repeat(32)}` }] }),
      PalletSubtensorRecycleOrBurnEnum: same('Recycle'),
      SubstrateFixedFixedU128: same({ bits: LARGE.u128.toString() }),
      'Option<SpRuntimeMultiSignature>': same(signer[1]),
      PalletDrandPulsesPayload: [{ ...theirBlock, pulses: [pulse] }, { ...block, pulses: [pulse] }],
      PalletDrandBeaconConfigurationPayload: [{ ...theirBlock, config: { ...beacon, ...theirs } },
        { ...block, config: { ...beacon, ...mine } }],
    };
  }

  // [polkadot-js's, ours] for a type; an exception for one that nobody thought of.
  of(type) {
    const number = LARGE[type.replace(/^Compact<(.*)>$/, '$1')];
    if (number !== undefined) return [number, number.toString()];
    const found = this.known[type];
    if (!found) throw new Error(`no sample of type ${type}`);
    return found;
  }

  // {pallet, name, theirs: the call by polkadot-js, mine: the arguments for our client} of each.
  all() {
    const { api } = this;
    return Object.values(api.tx).flatMap((section) => Object.values(section)).map((call) => {
      const index = call.callIndex[0];
      const pallet = api.runtimeMetadata.asLatest.pallets.find((one) => one.index.toNumber() === index);
      const samples = call.meta.args.map(({ type }) => this.of(type.toString()));
      return {
        pallet: pallet.name.toString(),
        name: call.meta.name.toString(),
        theirs: call(...samples.map(([theirs]) => theirs)),
        mine: samples.map(([, mine]) => mine),
      };
    });
  }
}

function same(value) {
  return [value, value];
}
