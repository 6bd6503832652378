// Calls an IOPaint service with Go's standard library alone (Go 1.19 or newer).
//
//	go run iopaint.go remove image.jpg result.png [mask.png]
//	go run iopaint.go batch results.zip img1.jpg img2.jpg …
//	go run iopaint.go stats
//
// IOPAINT_API_KEY has the key, IOPAINT_BASE_URL the service; without it the public one. Exits with 1 after an error.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	tries       = 3
	longestWait = 120 * time.Second // of Retry-After that is waited for
)

var (
	client   = &http.Client{Timeout: 120 * time.Second}
	errUsage = errors.New("use: remove IMAGE RESULT [MASK], batch RESULTS.zip IMAGE…, or stats")
)

// Error is what the service answered instead of a result. Code is for programs: "invalid_image".
type Error struct {
	Status    int
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s (%s, request %s)", e.Detail, e.Code, e.RequestID)
}

// Batch is many pictures that are worked on together; Status is queued or running until it is over.
type Batch struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	Total     int    `json:"total"`
	Succeeded int    `json:"succeeded"`
}

// Stats are the account's; Remaining is nil where the plan is unlimited.
type Stats struct {
	Total int    `json:"total"`
	Plan  string `json:"plan"`
	Quota struct {
		Remaining *int `json:"remaining"`
	} `json:"quota"`
}

type file struct{ field, path string }

// removeWatermark removes what is white in the mask; with mask "", the watermark that is found. It returns a PNG.
func removeWatermark(image, mask string) ([]byte, error) {
	files := []file{{"image", image}}
	if mask != "" {
		files = append(files, file{"mask", mask})
	}
	return call("POST", "/api/v1/remove-watermark", files)
}

// process sends pictures as one batch and waits until it is over.
func process(images []string) (Batch, error) {
	var batch Batch
	var files []file
	for _, image := range images {
		files = append(files, file{"images", image})
	}
	err := read(&batch, "POST", "/api/v1/batch", files)
	for err == nil && (batch.Status == "queued" || batch.Status == "running") {
		time.Sleep(2 * time.Second)
		err = read(&batch, "GET", "/api/v1/batch/"+batch.ID, nil)
	}
	return batch, err
}

func read(into any, method, path string, files []file) error {
	body, err := call(method, path, files)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// call returns the answer's body. It tries again where that can help, under one key, so that nothing is charged twice.
func call(method, path string, files []file) ([]byte, error) {
	body, contentType, err := multipartOf(files)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 16)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	base := os.Getenv("IOPAINT_BASE_URL")
	if base == "" {
		base = "https://api.iopaint.com"
	}
	pause := 500 * time.Millisecond
	for try := 1; ; try++ {
		request, err := http.NewRequest(method, base+path, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("X-API-Key", os.Getenv("IOPAINT_API_KEY"))
		if len(files) > 0 {
			request.Header.Set("Content-Type", contentType)
			request.Header.Set("Idempotency-Key", hex.EncodeToString(key))
		}
		answer, wait, err := send(request)
		if err == nil {
			return answer, nil
		}
		if wait == 0 {
			wait = pause
		}
		if try == tries || wait > longestWait || !mayPass(err) {
			return nil, err
		}
		time.Sleep(wait)
		pause *= 2
	}
}

// send returns a 2xx answer's body, or an error and how long the service would have us wait, if it said so.
func send(request *http.Request) ([]byte, time.Duration, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 == 2 {
		return body, 0, err
	}
	failure := &Error{Status: response.StatusCode}
	if json.Unmarshal(body, failure) != nil || failure.Code == "" {
		failure.Code, failure.Detail = "unexpected_answer", response.Status
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil {
		seconds = 0 // it said nothing
	}
	return nil, time.Duration(seconds) * time.Second, failure
}

func mayPass(err error) bool {
	var failure *Error
	if !errors.As(err, &failure) {
		return true // nobody answered
	}
	return failure.Status == 408 || failure.Status >= 500 || failure.Code == "idempotency_in_progress" ||
		failure.Status == 429 && failure.Code != "quota_exceeded"
}

func multipartOf(files []file) ([]byte, string, error) {
	var body bytes.Buffer
	if len(files) == 0 {
		return nil, "", nil
	}
	writer := multipart.NewWriter(&body)
	for _, each := range files {
		content, err := os.ReadFile(each.path)
		if err != nil {
			return nil, "", err
		}
		part, err := writer.CreateFormFile(each.field, filepath.Base(each.path))
		if err != nil {
			return nil, "", err
		}
		if _, err := part.Write(content); err != nil {
			return nil, "", err
		}
	}
	err := writer.Close()
	return body.Bytes(), writer.FormDataContentType(), err
}

func run(arguments []string) error {
	switch {
	case len(arguments) >= 3 && arguments[0] == "remove":
		mask := ""
		if len(arguments) > 3 {
			mask = arguments[3]
		}
		result, err := removeWatermark(arguments[1], mask)
		if err != nil {
			return err
		}
		fmt.Println("writing", arguments[2])
		return os.WriteFile(arguments[2], result, 0o644)
	case len(arguments) >= 3 && arguments[0] == "batch":
		batch, err := process(arguments[2:])
		if err != nil {
			return err
		}
		results, err := call("GET", "/api/v1/batch/"+batch.ID+"/results.zip", nil)
		if err != nil {
			return err
		}
		fmt.Printf("%d of %d succeeded, see %s\n", batch.Succeeded, batch.Total, arguments[1])
		return os.WriteFile(arguments[1], results, 0o644)
	case len(arguments) == 1 && arguments[0] == "stats":
		var stats Stats
		if err := read(&stats, "GET", "/api/v1/stats", nil); err != nil {
			return err
		}
		remaining := "unlimited"
		if stats.Quota.Remaining != nil {
			remaining = strconv.Itoa(*stats.Quota.Remaining)
		}
		fmt.Printf("%d requests on %s, left: %s\n", stats.Total, stats.Plan, remaining)
		return nil
	}
	return errUsage
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
