// Receives a Reachwire webhook: checks both signatures, handles each message once, posts receipts back.
//
//     PORT=8080 WEBHOOK_KEY='the key' RECEIPT_URL='https://.../receiveWebHookCallBack' java Receiver.java
//
// Java 17 or later, nothing but the JDK. Put a reverse proxy with https before it. Java reads the environment in the
// system's encoding: for a key that is not ASCII, run it in a UTF-8 locale (LC_ALL=C.UTF-8).

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    static final int PORT = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
    static final String KEY = System.getenv().getOrDefault("WEBHOOK_KEY", "");
    static final String RECEIPT_URL = System.getenv().getOrDefault("RECEIPT_URL", "");
    /** Seconds that a request's time may be away from ours. */
    static final long TOLERANCE = 300;
    static final int BODY_MAX = 32 * 1024 * 1024;
    static final int REMEMBERED = 1_000_000;
    static final HttpClient CLIENT = HttpClient.newHttpClient();
    static final ExecutorService POSTING = Executors.newFixedThreadPool(2);

    /** Your own work: send the SMS, issue the coupon. An exception makes Reachwire send the batch again. */
    static void process(Map<?, ?> message) {
        System.out.println("processed " + map(message.get("callback_params")).get("actionId"));
    }

    static byte[] hmac(String key, byte[]... pieces) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key.getBytes(UTF_8), "HmacSHA256"));
            for (byte[] piece : pieces) {
                mac.update(piece);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    /** X-QA-Hmac-Signature: the three strings sorted, joined, without white space. */
    static String sign(String key, String timestamp, String nonce) {
        String[] strings = {key, timestamp, nonce};
        Arrays.sort(strings);
        String text = String.join("", strings).replaceAll("\\s+", "");
        return HexFormat.of().formatHex(hmac(key, text.getBytes(UTF_8)));
    }

    /** webhook-signature (Standard Webhooks): covers the body. */
    static String signBody(String key, String id, String timestamp, byte[] body) {
        byte[] mac = hmac(key, (id + "." + timestamp + ".").getBytes(UTF_8), body);
        return "v1," + Base64.getEncoder().encodeToString(mac);
    }

    /** In constant time. */
    static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(UTF_8), other.getBytes(UTF_8));
    }

    @SuppressWarnings("serial")
    static class Refused extends Exception {
        final int status;
        final String code;

        Refused(int status, String code, String message) {
            super(message);
            this.status = status;
            this.code = code;
        }
    }

    static String header(Headers headers, String name) {
        String value = headers.getFirst(name);
        return value == null ? "" : value;
    }

    /** Throws unless Reachwire sent this, now, and with this body. */
    static void check(Map<String, String> query, Headers headers, byte[] body) throws Refused {
        String timestamp = query.getOrDefault("timestamp", "");
        String nonce = query.getOrDefault("nonce", "");
        if (!same(sign(KEY, timestamp, nonce), header(headers, "X-QA-Hmac-Signature"))) {
            throw new Refused(401, "BAD_SIGNATURE", "X-QA-Hmac-Signature does not fit the key, timestamp and nonce");
        }
        long now = System.currentTimeMillis() / 1000;
        if (!timestamp.matches("[0-9]{1,12}") || Math.abs(now - Long.parseLong(timestamp)) > TOLERANCE) {
            String message = "the timestamp is more than " + TOLERANCE + " s away from our time";
            throw new Refused(401, "BAD_TIMESTAMP", message);
        }
        String right = signBody(KEY, header(headers, "webhook-id"), timestamp, body);
        String[] signatures = header(headers, "webhook-signature").split(" ");
        boolean sameTime = header(headers, "webhook-timestamp").equals(timestamp);
        if (!sameTime || Arrays.stream(signatures).noneMatch(one -> same(right, one))) {
            String message = "webhook-signature does not fit the key, id, timestamp and body";
            throw new Refused(401, "BAD_BODY_SIGNATURE", message);
        }
    }

    /**
     * The actionIds that were handled, the oldest first. In production: a table with a unique key, written in the
     * transaction of the work.
     */
    static final Map<String, Boolean> DONE = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > REMEMBERED;
        }
    };

    /** Handles what was not handled before. The same batch may come again: after a timeout, or a lost answer. */
    static void handle(byte[] body) throws Refused {
        List<?> messages;
        try {
            messages = (List<?>) new Json(new String(body, UTF_8)).read();
            for (Object message : messages) {
                ((String) map(map(message).get("callback_params")).get("actionId")).length();
            }
        } catch (RuntimeException error) {
            throw new Refused(400, "BAD_BODY", "the body is not an array of messages");
        }
        List<Object> receipts = new ArrayList<>();
        try {
            synchronized (DONE) { // so that a batch that comes again waits for the first one's end
                for (Object one : messages) {
                    Map<?, ?> message = map(one);
                    String action = (String) map(message.get("callback_params")).get("actionId");
                    if (DONE.containsKey(action)) {
                        continue;
                    }
                    process(message);
                    DONE.put(action, true);
                    receipts.add(receipt(message, "200"));
                }
            }
        } finally {
            if (!receipts.isEmpty() && !RECEIPT_URL.isEmpty()) {
                POSTING.submit(() -> postReceipts(receipts));
            }
        }
    }

    static Map<?, ?> map(Object value) {
        return (Map<?, ?>) value;
    }

    static String randomHex() {
        byte[] bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** What became of a message; status is one of the webhook's status codes. */
    static Map<String, Object> receipt(Map<?, ?> message, String status) {
        return Map.of(
                "msg_id", randomHex(),
                "status", status,
                "cst_id", map(message.get("user_profile")).get("customer_id"),
                "send_time", String.valueOf(System.currentTimeMillis()),
                "callback_params", message.get("callback_params")); // as they came
    }

    /** At most 10,000 in a request. Posting the same ones again changes nothing, so it tries until they are taken. */
    static void postReceipts(List<?> receipts) {
        String body = Json.write(receipts);
        for (int wait : new int[] {0, 2, 10, 60}) {
            try {
                Thread.sleep(wait * 1000L);
                String timestamp = String.valueOf(System.currentTimeMillis() / 1000);
                String nonce = randomHex();
                String mark = RECEIPT_URL.contains("?") ? "&" : "?";
                URI url = URI.create(RECEIPT_URL + mark + "timestamp=" + timestamp + "&nonce=" + nonce);
                HttpRequest request = HttpRequest.newBuilder(url)
                        .timeout(Duration.ofSeconds(30))
                        .header("Content-Type", "application/json")
                        .header("X-QA-Hmac-Signature", sign(KEY, timestamp, nonce))
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
                HttpResponse<String> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
                int status = answer.statusCode();
                if (status == 200 && "200".equals(String.valueOf(map(new Json(answer.body()).read()).get("code")))) {
                    return;
                }
                System.err.println("receipts: " + status + " " + answer.body());
                if (status < 500 && status != 408 && status != 429) {
                    return; // the message says which were not taken and why; the others are recorded
                }
            } catch (InterruptedException error) {
                return;
            } catch (IOException | RuntimeException error) {
                System.err.println("receipts: " + error);
            }
        }
    }

    static Map<String, String> query(String raw) {
        Map<String, String> query = new HashMap<>();
        for (String pair : (raw == null ? "" : raw).split("&")) {
            String[] parts = pair.split("=", 2);
            query.put(URLDecoder.decode(parts[0], UTF_8), parts.length < 2 ? "" : URLDecoder.decode(parts[1], UTF_8));
        }
        return query;
    }

    static void answer(HttpExchange exchange, int status, String code, String message) throws IOException {
        byte[] body = Json.write(Map.of("code", code, "message", message)).getBytes(UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }

    static void receive(HttpExchange exchange) throws IOException {
        try {
            if (!exchange.getRequestMethod().equals("POST")) {
                throw new Refused(405, "POST_ONLY", "this address takes POSTs");
            }
            byte[] body = exchange.getRequestBody().readNBytes(BODY_MAX + 1);
            if (body.length > BODY_MAX) {
                throw new Refused(413, "TOO_LARGE", "the body has more than " + BODY_MAX + " bytes");
            }
            check(query(exchange.getRequestURI().getRawQuery()), exchange.getRequestHeaders(), body);
            handle(body);
            answer(exchange, 200, "OK", "");
        } catch (Refused refused) {
            answer(exchange, refused.status, refused.code, refused.getMessage());
        } catch (RuntimeException error) { // a 500: Reachwire sends the batch again
            System.err.println("failed: " + error);
            answer(exchange, 500, "FAILED", "not all messages were handled");
        } finally {
            exchange.close();
        }
    }

    public static void main(String[] arguments) throws IOException {
        if (KEY.isEmpty()) {
            System.err.println("WEBHOOK_KEY is not set: without a key anybody can post");
            System.exit(1);
        }
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", PORT), 0);
        server.createContext("/", Receiver::receive);
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.start();
        System.out.println("listening on 127.0.0.1:" + PORT);
    }

    /** JSON, for the JDK has none: objects are maps, arrays lists, numbers their text. Any library does as well. */
    static class Json {
        final String text;
        int at = 0;

        Json(String text) {
            this.text = text;
        }

        Object read() {
            Object value = value(0);
            space();
            if (at < text.length()) {
                throw wrong();
            }
            return value;
        }

        IllegalArgumentException wrong() {
            return new IllegalArgumentException("not JSON at " + at);
        }

        void space() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        /** Whether the next character is this one, which is then passed. */
        boolean take(char wanted) {
            space();
            boolean found = at < text.length() && text.charAt(at) == wanted;
            if (found) {
                at++;
            }
            return found;
        }

        void expect(char wanted) {
            if (!take(wanted)) {
                throw wrong();
            }
        }

        Object value(int depth) {
            if (depth > 100) {
                throw wrong();
            }
            if (take('{')) {
                Map<String, Object> map = new LinkedHashMap<>();
                if (!take('}')) {
                    do {
                        expect('"');
                        String name = string();
                        expect(':');
                        map.put(name, value(depth + 1));
                    } while (take(','));
                    expect('}');
                }
                return map;
            }
            if (take('[')) {
                List<Object> list = new ArrayList<>();
                if (!take(']')) {
                    do {
                        list.add(value(depth + 1));
                    } while (take(','));
                    expect(']');
                }
                return list;
            }
            if (take('"')) {
                return string();
            }
            int start = at;
            while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            String word = text.substring(start, at);
            if (!word.matches("true|false|null|-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
                throw wrong();
            }
            return word.equals("null") ? null : word;
        }

        /** The opening quote is passed already. */
        String string() {
            StringBuilder string = new StringBuilder();
            while (at < text.length()) {
                char c = text.charAt(at++);
                if (c == '"') {
                    return string.toString();
                }
                if (c < ' ') {
                    throw wrong();
                }
                if (c != '\\') {
                    string.append(c);
                    continue;
                }
                char escaped = at < text.length() ? text.charAt(at++) : ' ';
                int known = "\"\\/bfnrt".indexOf(escaped);
                if (known >= 0) {
                    string.append("\"\\/\b\f\n\r\t".charAt(known));
                } else if (escaped == 'u' && at + 4 <= text.length()) {
                    string.append((char) HexFormat.fromHexDigits(text, at, at + 4));
                    at += 4;
                } else {
                    throw wrong();
                }
            }
            throw wrong();
        }

        static String write(Object value) {
            StringBuilder out = new StringBuilder();
            write(value, out);
            return out.toString();
        }

        /** Numbers are written as strings: Reachwire sends and takes nothing else. */
        static void write(Object value, StringBuilder out) {
            if (value instanceof Map<?, ?> map) {
                String before = "{";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(before);
                    write(entry.getKey(), out);
                    out.append(':');
                    write(entry.getValue(), out);
                    before = ",";
                }
                out.append(map.isEmpty() ? "{}" : "}");
            } else if (value instanceof List<?> list) {
                String before = "[";
                for (Object one : list) {
                    out.append(before);
                    write(one, out);
                    before = ",";
                }
                out.append(list.isEmpty() ? "[]" : "]");
            } else if (value == null) {
                out.append("null");
            } else {
                out.append('"');
                for (char c : value.toString().toCharArray()) {
                    if (c == '"' || c == '\\' || c < ' ') {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
                out.append('"');
            }
        }
    }
}
