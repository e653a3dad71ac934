// What the checks do with the chain by polkadot-js: send, wait, read.

// The module's error by name ("subtensorModule.AmountTooLow"), or the kind of any other.
export function errorName(api, error) {
  if (!error.isModule) return error.toString();
  const found = api.registry.findMetaError(error.asModule);
  return `${found.section}.${found.name}`;
}

// Sends and waits until it is finalized. {events: ["balances.Transfer", ...], error: name or null,
// statuses, records}.
export function send(api, call, key, options = {}) {
  return new Promise((resolve, reject) => {
    const statuses = [];
    let unsubscribe;
    call.signAndSend(key, options, (result) => {
      statuses.push(result.status.type);
      if (result.isError && !result.dispatchError) reject(new Error(`it is ${result.status.type}`));
      if (!result.status.isFinalized) return;
      unsubscribe?.();
      resolve({
        statuses,
        records: result.events,
        events: result.events.map(({ event }) => `${event.section}.${event.method}`),
        error: result.dispatchError ? errorName(api, result.dispatchError) : null,
      });
    }).then((stop) => { unsubscribe = stop; }, reject);
  });
}

// What the pool says to it: the error's data, or null if it took it in.
export async function refusal(api, call, key, options = {}) {
  try {
    await call.signAsync(key, options);
    await api.rpc.author.submitExtrinsic(call);
    return null;
  } catch (error) {
    return error.message;
  }
}

export async function untilBlock(api, wanted) {
  for (;;) {
    const number = (await api.rpc.chain.getHeader()).number.toNumber();
    if (number >= wanted) return number;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// Until `read` yields something that `holds`; the last value if it never does.
export async function until(read, holds, withinMs = 30_000) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
