<?php
// PORT and WEBHOOK_SECRET in the environment: php -S localhost:$PORT verify.php
$body = file_get_contents('php://input');
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$sent = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '0';
$secret = base64_decode(str_replace('whsec_', '', getenv('WEBHOOK_SECRET')));
$wanted = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$sent.$body", $secret, true));
$genuine = abs(time() - (int) $sent) < 300;
$matches = array_filter(
    explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? ''),
    fn ($each) => hash_equals($wanted, $each),
);
if (!$genuine || !$matches) {
    http_response_code(400);
    return;
}
error_log(json_decode($body)->type);
http_response_code(204);
