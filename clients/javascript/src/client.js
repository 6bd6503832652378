/** The client. index.d.ts says what each method takes, gives and throws. */

import { cleanAll, readBatch, saveResults } from './batches.js';
import * as calls from './calls.js';
import { Caller } from './caller.js';
import { follow, items, listed } from './following.js';
import * as kept from './kept.js';
import { checkTarget, formatOf, pathOf, write } from './saving.js';
import { send } from './sending.js';

export class IOPaintClient {
  constructor(options) {
    this._caller = new Caller(options);
  }

  async removeWatermark(image, output, options) {
    const [target, wanted] = await split(output, options);
    if (target === undefined) return send(this._caller, await calls.removeWatermark(image, wanted));
    await checkTarget(target);
    const call = await calls.removeWatermark(image, { format: formatOf(target), ...wanted });
    const result = await send(this._caller, call);
    await write(target, result.content);
    return result;
  }

  async detect(image, options = {}) {
    return send(this._caller, await calls.detect(image, options));
  }

  async detectMask(image, options = {}) {
    return send(this._caller, await calls.detectMask(image, options));
  }

  async batchProcess(images, outputDir, options) {
    const [folder, { onProgress, ...wanted }] = await split(outputDir, options);
    const results = [];
    let done = 0;
    for await (const each of cleanAll(this._caller, images, folder, wanted)) {
      results[each.index] = each;
      onProgress?.({ done: ++done, total: images.length, processed: each });
    }
    return results;
  }

  async *batchStream(images, outputDir, options) {
    const [folder, wanted] = await split(outputDir, options);
    yield* cleanAll(this._caller, images, folder, wanted);
  }

  async createBatch(images, options = {}) {
    return send(this._caller, await calls.createBatch(...(await readBatch(images, options))));
  }

  followBatch(id, options = {}) {
    return follow(this._caller, id, options);
  }

  async batch(id, options) {
    return send(this._caller, calls.batch(id, options));
  }

  async batches({ limit = 50, ...options } = {}) {
    return listed(this._caller, (most, cursor) => calls.batches(most, cursor, options), limit);
  }

  async batchItems(id, options) {
    return items(this._caller, id, options);
  }

  async downloadResults(id, output, options) {
    return saveResults(this._caller, id, output, options);
  }

  async cancelBatch(id, options) {
    return send(this._caller, calls.cancelBatch(id, options));
  }

  async retryBatch(id, options = {}) {
    return send(this._caller, calls.retryBatch(id, options));
  }

  async download(item, options) {
    if (!item.result) throw new TypeError(`${item.name} has no result: it is ${item.status}.`);
    return (await send(this._caller, calls.download(item.result.url, options))).bytes;
  }

  async createMark(image, name, options = {}) {
    return send(this._caller, await kept.createMark(image, name, options));
  }

  async marks(options) {
    return listed(this._caller, (most, cursor) => kept.marks(most, cursor, options));
  }

  async mark(id, options) {
    return send(this._caller, kept.mark(id, options));
  }

  async markFile(id, options) {
    return send(this._caller, kept.markFile(id, options));
  }

  async renameMark(id, name, options) {
    return send(this._caller, kept.renameMark(id, name, options));
  }

  async deleteMark(id, options) {
    return send(this._caller, kept.deleteMark(id, options));
  }

  async webhooks(options) {
    return send(this._caller, kept.webhooks(options));
  }

  async webhook(id, options) {
    return send(this._caller, kept.webhook(id, options));
  }

  async createWebhook(url, events, options) {
    return send(this._caller, kept.createWebhook(url, events, options));
  }

  async updateWebhook(id, changes) {
    return send(this._caller, kept.updateWebhook(id, changes));
  }

  async deleteWebhook(id, options) {
    return send(this._caller, kept.deleteWebhook(id, options));
  }

  async rotateWebhookSecret(id, options) {
    return send(this._caller, kept.rotateWebhookSecret(id, options));
  }

  async rotateDefaultSecret(options) {
    return send(this._caller, kept.rotateDefaultSecret(options));
  }

  async testWebhook(id, options) {
    return send(this._caller, kept.testWebhook(id, options));
  }

  async replayWebhook(id, since, options) {
    return send(this._caller, kept.replayWebhook(id, since, options));
  }

  async deliveries({ endpoint, limit = 50, ...options } = {}) {
    return listed(this._caller, (most, cursor) => kept.deliveries(endpoint, most, cursor, options), limit);
  }

  async replayDelivery(id, options) {
    return send(this._caller, kept.replayDelivery(id, options));
  }

  async stats(options) {
    return send(this._caller, calls.stats(options));
  }

  async health(options) {
    return send(this._caller, calls.health(options));
  }

  async models(options) {
    return send(this._caller, calls.models(options));
  }
}

/** Where to write, as a path, and the options: either may be left out. */
async function split(output, options) {
  const isPath = typeof output === 'string' || output instanceof URL;
  if (!isPath && output !== undefined && output !== null && options !== undefined) {
    throw new TypeError('Where to write is a path.');
  }
  return isPath ? [await pathOf(output), options ?? {}] : [undefined, options ?? output ?? {}];
}
