<?php
/**
 * Calls an IOPaint service with curl alone (PHP 8.1 or newer with php-curl).
 *
 *   php iopaint.php remove image.jpg result.png [mask.png]
 *   php iopaint.php batch results.zip img1.jpg img2.jpg …
 *   php iopaint.php stats
 *
 * IOPAINT_API_KEY has the key, IOPAINT_BASE_URL the service; without it the public one. Exits with 1 after an error.
 */

declare(strict_types=1);

const TRIES = 3;
const LONGEST_WAIT = 120; // seconds of Retry-After that are waited for

/** What the service answered instead of a result: getMessage() says why, $error is for programs ("invalid_image"). */
final class IOPaintError extends RuntimeException
{
    public function __construct(string $detail, public readonly string $error, public readonly ?string $requestId = null)
    {
        parent::__construct($detail);
    }
}

/** Removes what is white in the mask; without one, the watermark that is found. Returns a PNG. */
function remove_watermark(string $image, ?string $mask = null): string
{
    $files = [['image', $image]];
    if ($mask !== null) {
        $files[] = ['mask', $mask];
    }
    return call('POST', '/api/v1/remove-watermark', $files);
}

/** Sends pictures as one batch, waits until it is over, and returns it. */
function batch(array $images): array
{
    $files = array_map(fn (string $image) => ['images', $image], $images);
    $batch = json_decode(call('POST', '/api/v1/batch', $files), true);
    while (in_array($batch['status'], ['queued', 'running'], true)) {
        sleep(2);
        $batch = json_decode(call('GET', "/api/v1/batch/{$batch['id']}"), true);
    }
    return $batch;
}

function stats(): array
{
    return json_decode(call('GET', '/api/v1/stats'), true);
}

/** Pairs of a field and a path, as multipart/form-data: curl cannot repeat a field, which a batch needs. */
function multipart(array $files, string $boundary): string
{
    $body = '';
    foreach ($files as [$field, $path]) {
        if (!is_file($path)) {
            throw new IOPaintError("There is no file $path.", 'no_such_file');
        }
        $name = str_replace(["\r", "\n", '"'], ['%0D', '%0A', '%22'], basename($path));
        $body .= "--$boundary\r\nContent-Disposition: form-data; name=\"$field\"; filename=\"$name\"\r\n";
        $body .= "Content-Type: application/octet-stream\r\n\r\n" . file_get_contents($path) . "\r\n";
    }
    return "$body--$boundary--\r\n";
}

/** The answer's body. Tried again where that can help, under one key, so that nothing is charged twice. */
function call(string $method, string $path, array $files = []): string
{
    $headers = ['X-API-Key: ' . getenv('IOPAINT_API_KEY')];
    $body = '';
    if ($files !== []) {
        $boundary = bin2hex(random_bytes(16));
        $body = multipart($files, $boundary);
        array_push($headers, "Content-Type: multipart/form-data; boundary=$boundary", "Idempotency-Key: $boundary");
    }
    for ($try = 1; ; $try++) {
        [$status, $answer, $told] = send($method, $path, $headers, $body);
        if ($status >= 200 && $status < 300) {
            return $answer;
        }
        $said = json_decode($answer, true);
        $error = is_array($said) && isset($said['code'])
            ? new IOPaintError($said['detail'], $said['code'], $said['request_id'])
            : new IOPaintError($answer ?: "HTTP $status", $status === 0 ? 'connection_failed' : 'unexpected_answer');
        $wait = (float) ($told['retry-after'] ?? 0) ?: 0.5 * 2 ** ($try - 1);
        if ($try === TRIES || $wait > LONGEST_WAIT || !may_pass($status, $error->error)) {
            throw $error;
        }
        usleep((int) ($wait * 1_000_000));
    }
}

function may_pass(int $status, string $error): bool
{
    return $status === 0 || $status === 408 || $status >= 500
        || $error === 'idempotency_in_progress' || ($status === 429 && $error !== 'quota_exceeded');
}

/** The status, 0 where nobody answered; the body, or why there is none; the headers, in lower case. */
function send(string $method, string $path, array $headers, string $body): array
{
    $told = [];
    $curl = curl_init((getenv('IOPAINT_BASE_URL') ?: 'https://api.iopaint.com') . $path);
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CONNECTTIMEOUT => 10,
        CURLOPT_TIMEOUT => 120,
        CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$told): int {
            [$name, $value] = array_pad(explode(':', $line, 2), 2, '');
            $told[strtolower($name)] = trim($value);
            return strlen($line);
        },
    ]);
    if ($body !== '') {
        curl_setopt($curl, CURLOPT_POSTFIELDS, $body);
    }
    $answer = curl_exec($curl);
    if ($answer === false) {
        return [0, curl_error($curl), []];
    }
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $answer, $told];
}

function main(array $arguments): void
{
    $command = $arguments[1] ?? '';
    if ($command === 'remove' && count($arguments) >= 4) {
        file_put_contents($arguments[3], remove_watermark($arguments[2], $arguments[4] ?? null));
        echo "wrote $arguments[3]\n";
    } elseif ($command === 'batch' && count($arguments) >= 4) {
        $batch = batch(array_slice($arguments, 3));
        file_put_contents($arguments[2], call('GET', "/api/v1/batch/{$batch['id']}/results.zip"));
        echo "{$batch['succeeded']} of {$batch['total']} succeeded, see $arguments[2]\n";
    } elseif ($command === 'stats') {
        $stats = stats();
        $remaining = $stats['quota']['remaining'] ?? 'unlimited';
        echo "{$stats['total']} requests on {$stats['plan']}, left: $remaining\n";
    } else {
        throw new IOPaintError('Use: remove IMAGE RESULT [MASK], batch RESULTS.zip IMAGE…, or stats.', 'usage');
    }
}

try {
    main($argv);
} catch (IOPaintError $error) {
    $request = $error->requestId === null ? '' : ", request $error->requestId";
    fwrite(STDERR, "{$error->getMessage()} ($error->error$request)\n");
    exit(1);
}
