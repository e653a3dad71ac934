// Says each check in one line and counts what failed.
export class Checks {
  passed = 0;
  failed = 0;

  ok(what, holds, detail = '') {
    if (holds) this.passed += 1;
    else this.failed += 1;
    console.log(`${holds ? 'ok   ' : 'FAIL '} ${what}${detail === '' ? '' : `: ${detail}`}`);
  }

  equal(what, found, wanted) {
    const [a, b] = [found, wanted].map((one) => JSON.stringify(one) ?? 'undefined');
    this.ok(what, a === b, a === b ? short(a) : `${short(a)} is not ${short(b)}`);
  }

  // Runs a part; an exception is a failed check, and the rest goes on.
  async part(what, work) {
    try {
      await work();
    } catch (error) {
      this.ok(what, false, String(error?.stack ?? error).split('\n').slice(0, 4).join(' | '));
    }
  }
}

function short(text) {
  return text.length > 90 ? `${text.slice(0, 87)}...` : text;
}
