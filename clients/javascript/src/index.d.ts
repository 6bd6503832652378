/**
 * A path (not in browsers); an address, which the service fetches; a Blob or File; bytes, so a Buffer too; a stream of bytes.
 */
export type Picture =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

export type Mode = 'auto' | 'repaint' | 'restore';
/** text: lettering of any kind. */
export type Target = 'watermark' | 'text';

export interface CallOptions {
  /** Milliseconds for each try. */
  timeout?: number;
  /** When it is aborted, the call rejects with its reason. */
  signal?: AbortSignal;
}

export interface RemoveOptions extends CallOptions {
  /** White is what to remove. Without one the watermark is found, or the other `targets`. */
  mask?: Picture;
  /** Instead of a mask. */
  rectangles?: ReadonlyArray<Rectangle | readonly [x: number, y: number, width: number, height: number]>;
  /** Instead of a mask: the id of a saved mark. */
  mark?: string;
  /** What is looked for without a mask: watermark (the default), text (lettering of any kind), or both. */
  targets?: readonly Target[];
  /** 0 to 64: pixels by which the repainted area is widened. */
  grow?: number;
  mode?: Mode;
  /** png by default, or what the output's extension says. */
  format?: 'png' | 'jpeg' | 'webp' | 'avif' | 'auto';
  /** One of models(). */
  model?: string;
  /** Of models that invent (sd, sdxl): what is to be seen in the hole. */
  prompt?: string;
  /** What is not to be seen there. */
  negativePrompt?: string;
  /** 1 to 100. */
  steps?: number;
  /** 0 to 30: how strictly the prompt is followed. */
  guidance?: number;
  /** 0 to 2^32-1. */
  seed?: number;
  /** strip by default. */
  exif?: 'strip' | 'keep';
  /** A repeat with the same one is answered as the first time and charged once; a new one by default. */
  idempotencyKey?: string;
}

export interface DetectOptions extends CallOptions {
  mode?: Mode;
  /** watermark by default. */
  targets?: readonly Target[];
  marked?: boolean;
}

export interface BatchOptions extends RemoveOptions {
  /** Is given back. */
  metadata?: Record<string, unknown>;
  /** An https address that is told when the batch is over. */
  webhookUrl?: string;
  /** Do as many pictures as the quota has units for. */
  partial?: boolean;
  /**
   * Seconds for which the results are kept, from 60 to what the plan allows. 0: until each was downloaded, for ten
   * minutes at most.
   */
  expiresIn?: number;
  /** All pictures, 8 or more, have the same mark: it is computed from all of them and taken off exactly. Takes no mask. */
  sharedMark?: boolean;
  /** Instead of mask: one for each picture, in order. */
  masks?: readonly Picture[];
}

export interface CreateBatchOptions extends BatchOptions {
  /** Instead of images, of which there are none then: a ZIP of them; photo.jpg has its mask in photo_mask.png. */
  archive?: Picture;
}

export interface ProcessOptions extends BatchOptions {
  /** Is called with each batch once it was sent. */
  accepted?: (batch: Batch) => void;
}

export interface Progress {
  done: number;
  total: number;
  /** The picture that ended just now. */
  processed: Processed;
}

export interface ClientOptions {
  /** By default the environment's IOPAINT_API_KEY. */
  apiKey?: string;
  /** By default the environment's IOPAINT_BASE_URL, or the public service. */
  baseUrl?: string;
  /** Milliseconds for each try; 120,000 by default. */
  timeout?: number;
  /** Tries after the first; 2 by default. */
  maxRetries?: number;
  /** Your own, for proxies or certificates. */
  fetch?: (url: string, options: RequestInit) => Promise<Response>;
}

/**
 * A service and an account.
 *
 * Every method rejects with IOPaintError, or with the signal's reason. Those that read or write files reject with the
 * file system's error before anything is charged.
 */
export class IOPaintClient {
  /** Throws TypeError or RangeError for options that cannot be. */
  constructor(options?: ClientOptions);

  /** Removes what is white in the mask; without one, the watermark that is found. */
  removeWatermark(image: Picture, options?: RemoveOptions): Promise<Result>;
  /** Writes the result to a file as well. */
  removeWatermark(image: Picture, output: string | URL, options?: RemoveOptions): Promise<Result>;

  /**
   * Where a watermark is, or the other `targets`. marked: there is a watermark, show the likeliest. proposals: show what
   * of it is not sure, too.
   */
  detect(image: Picture, options?: DetectOptions & { proposals?: boolean }): Promise<Detection>;
  /** A PNG, white where the watermark is, or the other `targets`: to be edited and sent back as `mask`. */
  detectMask(image: Picture, options?: DetectOptions): Promise<Uint8Array>;

  /**
   * Sends many pictures as batches and waits for them: what became of each, in the order of `images`.
   * A picture that fails has an `error` and stops no other. outputDir: a folder, made if it is not there.
   */
  batchProcess(
    images: readonly Picture[],
    options?: ProcessOptions & { onProgress?: (progress: Progress) => void },
  ): Promise<Processed[]>;
  batchProcess(
    images: readonly Picture[],
    outputDir: string | URL,
    options?: ProcessOptions & { onProgress?: (progress: Progress) => void },
  ): Promise<Processed[]>;

  /** As batchProcess, each as soon as it is done. */
  batchStream(images: readonly Picture[], options?: ProcessOptions): AsyncGenerator<Processed, void, undefined>;
  batchStream(
    images: readonly Picture[],
    outputDir: string | URL,
    options?: ProcessOptions,
  ): AsyncGenerator<Processed, void, undefined>;

  /** Sends one batch and does not wait. */
  createBatch(images: readonly Picture[], options?: CreateBatchOptions): Promise<Batch>;
  /** Its pictures as they end, until the batch is over. */
  followBatch(id: string, options?: CallOptions): AsyncGenerator<Item, Batch, undefined>;
  batch(id: string, options?: CallOptions): Promise<Batch>;
  /** The newest ones; limit: 50 by default; Infinity: all of them. */
  batches(options?: CallOptions & { limit?: number }): Promise<Batch[]>;
  batchItems(id: string, options?: CallOptions): Promise<Item[]>;
  /** Writes a ZIP of the results that are there by now; errors.csv in it lists what failed. */
  downloadResults(id: string, output: string | URL, options?: CallOptions): Promise<void>;
  /** Cancels what has not ended, at no charge, and deletes all files of the batch. */
  cancelBatch(id: string, options?: CallOptions): Promise<Batch>;
  /** Queues again what failed. partial: as many as the quota has units for. Rejects with InvalidRequest where nothing did. */
  retryBatch(id: string, options?: CallOptions & { partial?: boolean }): Promise<Batch>;
  /** The file of a picture that succeeded. Rejects with TypeError if it has none. */
  download(item: Item, options?: CallOptions): Promise<Uint8Array>;

  /** Keeps a logo (a picture with alpha) or a mask; its id is the `mark` of later calls. Costs no quota. */
  createMark(image: Picture, name: string, options?: MarkOptions): Promise<SavedMark>;
  /** The account's saved marks, newest first. */
  marks(options?: CallOptions): Promise<SavedMark[]>;
  mark(id: string, options?: CallOptions): Promise<SavedMark>;
  /** The mask or the logo as PNG, cut to what of it is seen. */
  markFile(id: string, options?: CallOptions): Promise<Uint8Array>;
  renameMark(id: string, name: string, options?: CallOptions): Promise<SavedMark>;
  /** Batches that were sent with it go on. */
  deleteMark(id: string, options?: CallOptions): Promise<void>;

  /** The account's endpoints, newest first. */
  webhooks(options?: CallOptions): Promise<WebhookEndpoint[]>;
  webhook(id: string, options?: CallOptions): Promise<WebhookEndpoint>;
  /** Tells an https address what happens. Its secret is in this answer and in no other. */
  createWebhook(url: string, events: readonly EventType[], options?: CallOptions): Promise<NewWebhookEndpoint>;
  /** What is not named stays. enabled: false: nothing is sent; what happens is kept, for replayWebhook. */
  updateWebhook(
    id: string,
    changes: CallOptions & { url?: string; events?: readonly EventType[]; enabled?: boolean },
  ): Promise<WebhookEndpoint>;
  /** With its log. What was not delivered yet is not delivered any more. */
  deleteWebhook(id: string, options?: CallOptions): Promise<void>;
  /** A new secret. For 24 hours deliveries are signed with the one before it, too. */
  rotateWebhookSecret(id: string, options?: CallOptions): Promise<WebhookSecret>;
  /** Makes, or rotates, the secret that signs for a batch's webhookUrl. */
  rotateDefaultSecret(options?: CallOptions): Promise<WebhookSecret>;
  /** Sends an event webhook.test; what is answered is in deliveries(). */
  testWebhook(id: string, options?: CallOptions): Promise<Delivery>;
  /** Sends all that happened since then again, 30 days back at most: how many deliveries are queued. */
  replayWebhook(id: string, since: Date, options?: CallOptions): Promise<number>;
  /** What was sent and will be, newest first. endpoint: of this one alone. limit: 50 by default; Infinity: all. */
  deliveries(options?: CallOptions & { endpoint?: string; limit?: number }): Promise<Delivery[]>;
  /** Sends it again, from the start of the schedule. */
  replayDelivery(id: string, options?: CallOptions): Promise<Delivery>;

  stats(options?: CallOptions): Promise<Stats>;
  /** Needs no key. What is unhealthy is told, not thrown. */
  health(options?: CallOptions): Promise<Health>;
  /** Needs no key. */
  models(options?: CallOptions): Promise<Model[]>;
}

/** A cleaned picture. */
export class Result {
  private constructor();
  readonly content: Uint8Array;
  readonly contentType: string;
  /** Of the upright picture. */
  readonly width: number;
  readonly height: number;
  readonly maskSource: 'provided' | 'rectangles' | 'saved' | 'detected' | 'none';
  /** How many were worked on; 0: the picture is unchanged. */
  readonly pixels: number;
  /** Their share, 0 to 1. */
  readonly coverage: number;
  /** 0 to 1, where the mask was detected. */
  readonly confidence: number | null;
  /** Seconds. */
  readonly processingTime: number;
  /** Units of quota. */
  readonly charged: number;
  readonly requestId: string;
  /** Of a saved logo: restored (computed away) or repainted (it did not fit). */
  readonly markRepair: 'restored' | 'repainted' | null;
  readonly changed: boolean;
  blob(): Blob;
  /** Writes the file, whole or not at all. */
  save(path: string | URL): Promise<void>;
}

/** What became of one of many pictures. */
export interface Processed {
  index: number;
  name: string;
  ok: boolean;
  /** The share that was worked on, 0 to 1; 0: nothing was found, nothing was charged. */
  coverage: number;
  /** The result, or `path` where it was written; neither where there is an error. */
  content?: Uint8Array;
  path?: string;
  error?: IOPaintError;
}

/** Pixels of the upright picture. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Box extends Rectangle {
  kind: Target;
  /** 0 to 1. Of a watermark: of all boxes with this score, that share holds one. Of text: how sure the network is. */
  score: number;
  /** Of text: its outline. */
  polygon?: Array<[x: number, y: number]>;
}

export interface Detection {
  found: boolean;
  /** The watermark's share of the picture, 0 to 1. */
  coverage: number;
  boxes: Box[];
  /** What is not sure enough, where it was asked for. */
  proposals?: Box[];
}

/** In pictures. */
export interface Quota {
  /** null where the plan is unlimited. */
  limit: number | null;
  used: number;
  remaining: number | null;
  period: 'day' | 'month';
  resets_at: string;
}

/** The account's requests over all keys and all time; times in seconds. */
export interface Stats {
  total: number;
  success: number;
  failed: number;
  total_processing_time: number;
  avg_processing_time: number;
  plan: string;
  quota: Quota;
}

export interface Health {
  status: 'healthy' | 'unhealthy';
  /** The one that answers. */
  model: string;
  device: string;
  gpu_available: boolean;
  weights: string | null;
  precision: string;
  version: string;
  /** What is wrong. */
  detail?: string;
}

export interface Model {
  name: string;
  description: string;
  licence: string;
  weights: string | null;
  /** Of quota that a picture costs; null: the model is not on the plan. */
  units: number | null;
  available: boolean;
  default: boolean;
}

/** Where pictures have a saved mark, and what is known of it. */
export interface MarkOptions extends CallOptions {
  /** logo by default. */
  kind?: 'logo' | 'mask';
  /** top-left, top-centre, … bottom-right, centre, or whole (a mask's default; a logo's is bottom-right). */
  anchor?: string;
  /** picture, the default: it grows with the picture. */
  scaling?: 'picture' | 'pixels';
  /** Of a logo, 0.01 to 1. */
  opacity?: number;
  /** Where the logo is, in pixels of a picture of pictureWidth and pictureHeight; all four or none. */
  x?: number;
  y?: number;
  pictureWidth?: number;
  pictureHeight?: number;
}

export interface SavedMark {
  id: string;
  name: string;
  kind: 'logo' | 'mask';
  anchor: string;
  scaling: 'picture' | 'pixels';
  width: number;
  height: number;
  picture_width: number | null;
  picture_height: number | null;
  opacity: number | null;
  bytes: number;
  created_at: string;
}

export interface Batch {
  id: string;
  /** succeeded: over, at least one picture succeeded; failed: over, none did. */
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  total: number;
  queued: number;
  running: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  expires_at: string;
  metadata: Record<string, unknown>;
}

export function isOver(batch: Batch): boolean;

/** A batch's picture. */
export interface Item {
  batch: string;
  index: number;
  name: string;
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  /** In the account's line while it is queued; 1 is next. */
  position: number | null;
  error: ItemError | null;
  result: ItemResult | null;
}

export interface ItemError {
  code: string;
  detail: string;
}

export interface ItemResult {
  /** Needs no key and cannot be guessed. */
  url: string;
  width: number;
  height: number;
  /** 0 to 1; 0: nothing was found, and nothing charged. */
  coverage: number;
  seconds: number;
  /** shared: computed from all pictures of the batch. */
  mask_source: 'provided' | 'rectangles' | 'shared' | 'detected' | 'none';
  expires_at: string;
}

export type EventType =
  | 'batch.succeeded'
  | 'batch.failed'
  | 'batch.cancelled'
  | 'item.succeeded'
  | 'item.failed'
  | 'quota.low';

/** An address that is told what happens. */
export interface WebhookEndpoint {
  id: string;
  url: string;
  events: EventType[];
  created_at: string;
  /** Empty, or why: owner, staff, gone (it answered 410), failing. */
  disabled: string;
  failing_since: string | null;
}

export interface NewWebhookEndpoint extends WebhookEndpoint {
  /** whsec_…, for webhooks.verify. It is in this answer and in no other. */
  secret: string;
}

export interface WebhookSecret {
  secret: string;
  /** Till then deliveries are signed with the one before it, too; null: there was none. */
  previous_signs_until: string | null;
}

export interface DeliveryAttempt {
  at: string;
  seconds: number;
  /** null: no answer came, and error says why. */
  status: number | null;
  /** The beginning of its body. */
  answer: string;
  error: string;
}

/** An event on its way to an address. */
export interface Delivery {
  id: string;
  /** The header webhook-id, the same in each attempt and replay. */
  message_id: string;
  type: EventType | 'webhook.test';
  /** null: it goes to a batch's webhookUrl. */
  endpoint: string | null;
  url: string;
  status: 'queued' | 'running' | 'succeeded' | 'failed';
  attempts: DeliveryAttempt[];
  created_at: string;
  finished_at: string | null;
  /** While it is queued. */
  next_attempt_at: string | null;
}

/** Base of all errors of the service and of the way to it. */
export class IOPaintError extends Error {
  readonly detail: string;
  /** Stable snake_case, such as "invalid_image"; see the list in the service's docs/api.md. */
  readonly code: string;
  /** undefined where no answer came. */
  readonly statusCode: number | undefined;
  readonly requestId: string | undefined;
  /** Seconds after which the service would have it tried again, if it said so. */
  readonly retryAfter: number | undefined;
  /** Of the picture, as it was sent, for which a batch was refused. */
  readonly index: number | undefined;
}
/** No answer came: no such host, nobody listens, the connection broke. */
export class ConnectionFailed extends IOPaintError {}
/** No answer came in time. */
export class TimedOut extends ConnectionFailed {}
/** The answer is none of the service's: of a proxy, or of another server at this address. */
export class UnexpectedAnswer extends IOPaintError {}
/** There is no API key, or it is wrong, expired or revoked. */
export class AuthenticationFailed extends IOPaintError {}
/** The request cannot be done as it is. Base of all that is wrong with what was sent. */
export class InvalidRequest extends IOPaintError {}
/** The file is no picture, is damaged or animated. */
export class InvalidImage extends InvalidRequest {}
/** The file has too many bytes, or the picture too many pixels. */
export class ImageTooLarge extends InvalidRequest {}
/** The mask cannot be read, is too large, or marks nothing, everything, or too faintly. */
export class InvalidMask extends InvalidRequest {}
/** More pictures than the plan lets into one batch. */
export class BatchTooLarge extends InvalidRequest {}
/** Too few pictures for a mark that they share: send them without `shared_mark`. */
export class BatchTooSmall extends InvalidRequest {}
/** More bytes than a request may have. */
export class BodyTooLarge extends InvalidRequest {}
/** The account's plan does not have this model. */
export class ModelNotInPlan extends IOPaintError {}
/** The idempotency key was sent before with other fields. */
export class IdempotencyKeyReused extends InvalidRequest {}
/** There is no such batch or result, or it has expired. */
export class NotFound extends IOPaintError {}
/** The first request with this idempotency key may still run. */
export class IdempotencyInProgress extends IOPaintError {}
/** Too many requests in too short a time. */
export class RateLimited extends IOPaintError {}
/** The plan's pictures of this day or month are used up. */
export class QuotaExceeded extends IOPaintError {}
/** Something failed on the service's side. Nothing was charged. */
export class ServerError extends IOPaintError {}
/** The service has no room for the request just now. */
export class Busy extends ServerError {}
/** The service cannot reach its engine, database, storage or cache. */
export class Unavailable extends ServerError {}

export namespace webhooks {
  type Headers =
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | { entries(): Iterable<[string, string]> };

  /** id: the same in each attempt and replay: remember it, and handle none twice. data: as polling shows it. */
  interface Event {
    id: string;
    type: string;
    timestamp: Date;
    data: Record<string, any>;
  }

  /**
   * The event in a request, when its signature is right and its age below five minutes.
   * secret: whsec_…, as it was shown. body: as it came, before it is parsed. Rejects with InvalidSignature.
   */
  function verify(secret: string, headers: Headers, body: string | ArrayBuffer | ArrayBufferView): Promise<Event>;

  class InvalidSignature extends Error {}
}
