<?php
// Receives a Reachwire webhook: checks both signatures, handles each message once, posts receipts back.
//
//     WEBHOOK_KEY='the key' RECEIPT_URL='https://.../receiveWebHookCallBack' php -S 127.0.0.1:8080 receiver.php
//
// PHP 8.1 or later, nothing but what comes with it (not even mbstring). For production: under PHP-FPM, behind https.

declare(strict_types=1);

const TOLERANCE = 300; // seconds that a request's time may be away from ours
const BODY_MAX = 32 * 1024 * 1024;
const REMEMBER_DAYS = 30;

define('KEY', (string) getenv('WEBHOOK_KEY'));
define('RECEIPT_URL', (string) getenv('RECEIPT_URL'));
// One small file for each actionId that was handled. In production: a table with a unique key, written in the
// transaction of the work.
define('DONE', (getenv('RECEIVER_DATA') ?: sys_get_temp_dir() . '/reachwire-receiver') . '/done');

// Your own work: send the SMS, issue the coupon. An exception makes Reachwire send the batch again.
function process(stdClass $message): void
{
    file_put_contents('php://stdout', "processed {$message->callback_params->actionId}\n");
}

// X-QA-Hmac-Signature: the three strings sorted as Java sorts them, joined, without what Java's \s is.
function sign(string $key, string $timestamp, string $nonce): string
{
    // Java's order is by UTF-16 units. That is the order of UTF-8's bytes, but for one thing: U+E000 to U+FFFF, which
    // begin with EE or EF, stand behind the emoji and all else beyond U+FFFF, which begin with F0 to F4.
    $java = fn (string $text): string => strtr($text, "\xEE\xEF", "\xF8\xF9");
    $strings = [$key, $timestamp, $nonce];
    usort($strings, fn (string $a, string $b): int => strcmp($java($a), $java($b)));
    $text = str_replace([' ', "\t", "\n", "\v", "\f", "\r"], '', implode('', $strings));
    return hash_hmac('sha256', $text, $key);
}

// webhook-signature (Standard Webhooks): covers the body.
function sign_body(string $key, string $id, string $timestamp, string $body): string
{
    return 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
}

final class Refused extends Exception
{
    public function __construct(public readonly int $status, public readonly string $word, string $message)
    {
        parent::__construct($message);
    }
}

function query(string $name): string
{
    return is_string($_GET[$name] ?? null) ? $_GET[$name] : '';
}

function head(string $name): string
{
    return $_SERVER['HTTP_' . strtoupper(strtr($name, '-', '_'))] ?? '';
}

// Throws Refused unless Reachwire sent this, now, and with this body. hash_equals takes constant time.
function check(string $body): void
{
    [$timestamp, $nonce] = [query('timestamp'), query('nonce')];
    if (!hash_equals(sign(KEY, $timestamp, $nonce), head('X-QA-Hmac-Signature'))) {
        throw new Refused(401, 'BAD_SIGNATURE', 'X-QA-Hmac-Signature does not fit the key, timestamp and nonce');
    }
    if (!preg_match('/^[0-9]{1,12}$/D', $timestamp) || abs(time() - (int) $timestamp) > TOLERANCE) {
        throw new Refused(401, 'BAD_TIMESTAMP', 'the timestamp is more than ' . TOLERANCE . ' s away from our time');
    }
    $right = sign_body(KEY, head('webhook-id'), $timestamp, $body);
    $fits = array_filter(explode(' ', head('webhook-signature')), fn (string $one): bool => hash_equals($right, $one));
    if (!$fits || head('webhook-timestamp') !== $timestamp) {
        throw new Refused(401, 'BAD_BODY_SIGNATURE', 'webhook-signature does not fit the key, id, timestamp and body');
    }
}

// Handles what was not handled before and gives its receipts, also when the work fails in the middle. The same batch
// may come again: after a timeout, or a lost answer.
function handle(string $body, array &$receipts): void
{
    $messages = json_decode($body);
    $is_message = fn (mixed $one): bool => is_string($one->callback_params->actionId ?? null);
    if (!is_array($messages) || count(array_filter($messages, $is_message)) !== count($messages)) {
        throw new Refused(400, 'BAD_BODY', 'the body is not an array of messages');
    }
    if (!is_dir(DONE) && !mkdir(DONE, 0700, true) && !is_dir(DONE)) {
        throw new RuntimeException('cannot make ' . DONE);
    }
    $turn = fopen(DONE . '/../turn', 'c'); // so that a batch that comes again waits for the first one's end
    flock($turn, LOCK_EX);
    foreach ($messages as $message) {
        $file = DONE . '/' . hash('sha256', $message->callback_params->actionId);
        if (file_exists($file)) {
            continue;
        }
        process($message);
        touch($file) || throw new RuntimeException("cannot write $file");
        $receipts[] = receipt($message, '200');
    }
    flock($turn, LOCK_UN);
    if (random_int(1, 1000) === 1) {
        $old = fn (string $file): bool => filemtime($file) < time() - REMEMBER_DAYS * 86400;
        array_map(unlink(...), array_filter(glob(DONE . '/*'), $old));
    }
}

// What became of a message; status is one of the webhook's status codes.
function receipt(stdClass $message, string $status): array
{
    return [
        'msg_id' => bin2hex(random_bytes(16)),
        'status' => $status,
        'cst_id' => $message->user_profile->customer_id,
        'send_time' => (string) (int) (microtime(true) * 1000),
        'callback_params' => $message->callback_params, // as they came
    ];
}

// At most 10,000 in a request. Posting the same ones again changes nothing, so it tries until they are taken. A queue
// of your own is better: this holds the process up.
function post_receipts(array $receipts): void
{
    foreach ([0, 2, 10] as $wait) {
        sleep($wait);
        [$timestamp, $nonce] = [(string) time(), bin2hex(random_bytes(16))];
        $url = RECEIPT_URL . (str_contains(RECEIPT_URL, '?') ? '&' : '?') . "timestamp=$timestamp&nonce=$nonce";
        $header = ['Content-Type: application/json', 'X-QA-Hmac-Signature: ' . sign(KEY, $timestamp, $nonce)];
        $http = ['method' => 'POST', 'header' => $header, 'content' => json_encode($receipts), 'timeout' => 30,
            'ignore_errors' => true, 'follow_location' => 0];
        $answer = @fopen($url, 'r', false, stream_context_create(['http' => $http]));
        if ($answer === false) {
            error_log('receipts: no answer');
            continue;
        }
        $status = (int) (explode(' ', stream_get_meta_data($answer)['wrapper_data'][0] ?? '')[1] ?? 0);
        $text = (string) stream_get_contents($answer, 1 << 20);
        if ($status === 200 && (json_decode($text)->code ?? null) === 200) {
            return;
        }
        error_log("receipts: $status " . substr($text, 0, 2000));
        if ($status < 500 && !in_array($status, [408, 429], true)) {
            return; // the message says which were not taken and why; the others are recorded
        }
    }
}

function answer(int $status, string $code, string $message): void
{
    $body = json_encode(['code' => $code, 'message' => $message]);
    http_response_code($status);
    header('Content-Type: application/json');
    header('Content-Length: ' . strlen($body));
    echo $body;
    // Out with it: the receipts come after.
    while (ob_get_level() > 0) {
        ob_end_flush();
    }
    flush();
    if (function_exists('fastcgi_finish_request')) {
        fastcgi_finish_request();
    }
}

ignore_user_abort(true);
$receipts = [];
try {
    if (KEY === '') {
        throw new RuntimeException('WEBHOOK_KEY is not set: without a key anybody can post');
    }
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        throw new Refused(405, 'POST_ONLY', 'this address takes POSTs');
    }
    $body = (string) file_get_contents('php://input', false, null, 0, BODY_MAX + 1);
    if (strlen($body) > BODY_MAX) {
        throw new Refused(413, 'TOO_LARGE', 'the body has more than ' . BODY_MAX . ' bytes');
    }
    check($body);
    handle($body, $receipts);
    answer(200, 'OK', '');
} catch (Refused $refused) {
    answer($refused->status, $refused->word, $refused->getMessage());
} catch (Throwable $error) { // a 500: Reachwire sends the batch again
    error_log('failed: ' . $error->getMessage());
    answer(500, 'FAILED', 'not all messages were handled');
}
if ($receipts && RECEIPT_URL !== '') {
    post_receipts($receipts);
}
