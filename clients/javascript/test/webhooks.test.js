import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { webhooks } from 'iopaint-sdk';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const OTHER = 'whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB';
const BODY = '{"type": "batch.succeeded", "timestamp": "2026-11-28T22:10:54.123Z", "data": {"id": "bö"}}';

function signed({ secret = SECRET, age = 0 } = {}) {
  const moment = Math.floor(Date.now() / 1000) - age;
  const hmac = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`msg_1.${moment}.${BODY}`);
  return { 'Webhook-Id': 'msg_1', 'Webhook-Timestamp': String(moment), 'Webhook-Signature': `v1,${hmac.digest('base64')}` };
}

test('it works', async () => {
  for (const headers of [signed(), new Headers(signed())]) {
    for (const body of [BODY, Buffer.from(BODY), new TextEncoder().encode(BODY).buffer]) {
      const event = await webhooks.verify(SECRET, headers, body);

      assert.deepEqual([event.id, event.type, event.data], ['msg_1', 'batch.succeeded', { id: 'bö' }]);
      assert.equal(event.timestamp.toISOString(), '2026-11-28T22:10:54.123Z');
    }
  }
});

test("the reference libraries' own example is right", async (context) => {
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  context.mock.method(Date, 'now', () => 1614265330_000);

  assert.equal((await webhooks.verify(SECRET, headers, '{"test": 2432232314}')).id, 'msg_p5jXN8AQM9LWM0D4loKWxJek');
});

test('any of several signatures will do', async () => {
  const headers = signed();
  headers['Webhook-Signature'] = `v1a,x ${signed({ secret: OTHER })['Webhook-Signature']} ${headers['Webhook-Signature']}`;

  assert.equal((await webhooks.verify(SECRET, headers, BODY)).id, 'msg_1');
});

for (const [why, headers, body, secret] of [
  ['No signature', signed(), BODY.replace('bö', 'c'), SECRET],
  ['No signature', signed({ secret: OTHER }), BODY, SECRET],
  ['older', signed({ age: 360 }), BODY, SECRET],
  ['older', signed({ age: -360 }), BODY, SECRET],
  ['no number', { ...signed(), 'Webhook-Timestamp': 'soon' }, BODY, SECRET],
  ['No signature', { ...signed(), 'Webhook-Signature': 'v1,é' }, BODY, SECRET],
  ['no header webhook-id', {}, BODY, SECRET],
  ['secret', signed(), BODY, 'whsec_?'],
]) {
  test(`what is not the service's is refused: ${why}`, async () => {
    await assert.rejects(webhooks.verify(secret, headers, body), { name: 'InvalidSignature', message: new RegExp(why) });
  });
}
