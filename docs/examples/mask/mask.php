<?php
$call = curl_init('http://localhost:8080/api/v1/remove-watermark');
curl_setopt_array($call, [
    CURLOPT_POSTFIELDS => [
        'image' => new CURLFile('image.jpg'),
        'mask' => new CURLFile('mask.png'),
        'mode' => 'auto',
        'grow' => 4,
    ],
    CURLOPT_HTTPHEADER => ['X-API-Key: ' . getenv('IOPAINT_API_KEY')],
    CURLOPT_RETURNTRANSFER => true,
]);
$answer = curl_exec($call);
if (curl_getinfo($call, CURLINFO_HTTP_CODE) !== 200) {
    exit("It failed: $answer\n");
}
file_put_contents('result.png', $answer);
