// Receives a Reachwire webhook: checks both signatures, handles each message once, posts receipts back.
//
//	PORT=8080 WEBHOOK_KEY='the key' RECEIPT_URL='https://.../receiveWebHookCallBack' go run receiver.go
//
// Go 1.19 or later, nothing but the standard library. Put a reverse proxy with https before it.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

const (
	tolerance  = 300 * time.Second // that a request's time may be away from ours
	bodyMax    = 32 << 20
	remembered = 1_000_000
)

var (
	key        = os.Getenv("WEBHOOK_KEY")
	receiptURL = os.Getenv("RECEIPT_URL")
	client     = http.Client{Timeout: 30 * time.Second}
)

type message struct {
	UserProfile    map[string]string `json:"user_profile"`
	Params         map[string]string `json:"params"`
	CallbackParams map[string]string `json:"callback_params"`
	ProcessInfo    map[string]string `json:"process_info"`
}

type receipt struct {
	MsgID          string            `json:"msg_id"`
	Status         string            `json:"status"`
	CstID          string            `json:"cst_id"`
	SendTime       string            `json:"send_time"`
	CallbackParams map[string]string `json:"callback_params"`
}

// process is your own work: send the SMS, issue the coupon. An error makes Reachwire send the batch again.
func process(m message) error {
	_, err := fmt.Println("processed", m.CallbackParams["actionId"])
	return err
}

// javaLess is the order of Java's strings: by UTF-16 units. Go's is by bytes, which differs beyond U+FFFF.
func javaLess(a, b string) bool {
	x, y := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return len(x) < len(y)
}

// whiteSpace is what Java's \s is; Go's lacks the vertical tab.
var whiteSpace = strings.NewReplacer(" ", "", "\t", "", "\n", "", "\v", "", "\f", "", "\r", "")

func mac(key string, pieces ...[]byte) []byte {
	h := hmac.New(sha256.New, []byte(key))
	for _, piece := range pieces {
		h.Write(piece)
	}
	return h.Sum(nil)
}

// sign makes X-QA-Hmac-Signature: the three strings sorted, joined, without white space.
func sign(key, timestamp, nonce string) string {
	ordered := []string{key, timestamp, nonce}
	sort.Slice(ordered, func(i, j int) bool { return javaLess(ordered[i], ordered[j]) })
	return hex.EncodeToString(mac(key, []byte(whiteSpace.Replace(strings.Join(ordered, "")))))
}

// signBody makes webhook-signature (Standard Webhooks): it covers the body.
func signBody(key, id, timestamp string, body []byte) string {
	return "v1," + base64.StdEncoding.EncodeToString(mac(key, []byte(id+"."+timestamp+"."), body))
}

// same compares in constant time.
func same(one, other string) bool { return hmac.Equal([]byte(one), []byte(other)) }

type refused struct {
	status        int
	code, message string
}

func (r refused) Error() string { return r.message }

// check refuses unless Reachwire sent this, now, and with this body.
func check(query url.Values, header http.Header, body []byte) error {
	timestamp, nonce := query.Get("timestamp"), query.Get("nonce")
	if !same(sign(key, timestamp, nonce), header.Get("X-QA-Hmac-Signature")) {
		return refused{401, "BAD_SIGNATURE", "X-QA-Hmac-Signature does not fit the key, timestamp and nonce"}
	}
	seconds, err := strconv.ParseUint(timestamp, 10, 40)
	away := time.Since(time.Unix(int64(seconds), 0))
	if err != nil || away > tolerance || away < -tolerance {
		return refused{401, "BAD_TIMESTAMP", fmt.Sprintf("the timestamp is more than %v away from our time", tolerance)}
	}
	right := signBody(key, header.Get("webhook-id"), timestamp, body)
	fits := false
	for _, one := range strings.Split(header.Get("webhook-signature"), " ") {
		fits = fits || same(right, one)
	}
	if !fits || header.Get("webhook-timestamp") != timestamp {
		return refused{401, "BAD_BODY_SIGNATURE", "webhook-signature does not fit the key, id, timestamp and body"}
	}
	return nil
}

// The actionIds that were handled, and their order. In production: a table with a unique key, written in the
// transaction of the work.
var (
	turn  sync.Mutex
	done  = map[string]bool{}
	order []string
)

func remember(action string) {
	done[action] = true
	order = append(order, action)
	if len(order) > remembered {
		delete(done, order[0])
		order = order[1:]
	}
}

// handle does what was not done before. The same batch may come again: after a timeout, or a lost answer.
func handle(body []byte) error {
	var messages []message
	bad := refused{400, "BAD_BODY", "the body is not an array of messages"}
	if json.Unmarshal(body, &messages) != nil {
		return bad
	}
	for _, m := range messages {
		if m.CallbackParams["actionId"] == "" {
			return bad
		}
	}
	var receipts []receipt
	defer func() {
		if len(receipts) > 0 && receiptURL != "" {
			go postReceipts(receipts)
		}
	}()
	turn.Lock() // so that a batch that comes again waits for the first one's end
	defer turn.Unlock()
	for _, m := range messages {
		action := m.CallbackParams["actionId"]
		if done[action] {
			continue
		}
		if err := process(m); err != nil {
			return err
		}
		remember(action)
		receipts = append(receipts, newReceipt(m, "200"))
	}
	return nil
}

func randomHex() string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	return hex.EncodeToString(bytes)
}

// newReceipt says what became of a message; status is one of the webhook's status codes.
func newReceipt(m message, status string) receipt {
	return receipt{
		MsgID:          randomHex(),
		Status:         status,
		CstID:          m.UserProfile["customer_id"],
		SendTime:       strconv.FormatInt(time.Now().UnixMilli(), 10),
		CallbackParams: m.CallbackParams, // as they came
	}
}

// postReceipts posts at most 10,000. The same ones again change nothing, so it tries until they are taken.
func postReceipts(receipts []receipt) {
	body, err := json.Marshal(receipts)
	if err != nil {
		log.Print("receipts: ", err)
		return
	}
	for _, wait := range []time.Duration{0, 2, 10, 60} {
		time.Sleep(wait * time.Second)
		if postOnce(body) {
			return
		}
	}
}

// postOnce tells whether there is nothing left to try.
func postOnce(body []byte) bool {
	timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), randomHex()
	mark := "?"
	if strings.Contains(receiptURL, "?") {
		mark = "&"
	}
	query := url.Values{"timestamp": {timestamp}, "nonce": {nonce}}
	request, err := http.NewRequest("POST", receiptURL+mark+query.Encode(), bytes.NewReader(body))
	if err != nil {
		log.Print("receipts: ", err)
		return true
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-QA-Hmac-Signature", sign(key, timestamp, nonce))
	response, err := client.Do(request)
	if err != nil {
		log.Print("receipts: ", err)
		return false
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	var answer struct {
		Code int `json:"code"`
	}
	if response.StatusCode == 200 && json.Unmarshal(text, &answer) == nil && answer.Code == 200 {
		return true
	}
	log.Printf("receipts: %d %.2000s", response.StatusCode, text)
	// The message says which were not taken and why; the others are recorded.
	return response.StatusCode < 500 && response.StatusCode != 408 && response.StatusCode != 429
}

func receive(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, code, message string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message})
	}
	if r.Method != http.MethodPost {
		answer(405, "POST_ONLY", "this address takes POSTs")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		answer(413, "TOO_LARGE", fmt.Sprintf("the body broke off or has more than %d bytes", bodyMax))
		return
	}
	if err = check(r.URL.Query(), r.Header, body); err == nil {
		err = handle(body)
	}
	switch e := err.(type) {
	case nil:
		answer(200, "OK", "")
	case refused:
		answer(e.status, e.code, e.message)
	default: // a 500: Reachwire sends the batch again
		log.Print("failed: ", err)
		answer(500, "FAILED", "not all messages were handled")
	}
}

func main() {
	if key == "" {
		log.Fatal("WEBHOOK_KEY is not set: without a key anybody can post")
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	server := http.Server{Addr: "127.0.0.1:" + port, Handler: http.HandlerFunc(receive), ReadTimeout: 30 * time.Second}
	fmt.Println("listening on", server.Addr)
	log.Fatal(server.ListenAndServe())
}
