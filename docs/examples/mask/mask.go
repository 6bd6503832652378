package main

import (
	"bytes"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
)

func main() {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for field, name := range map[string]string{"image": "image.jpg", "mask": "mask.png"} {
		file, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		part, _ := form.CreateFormFile(field, name)
		part.Write(file)
	}
	form.WriteField("mode", "auto")
	form.WriteField("grow", "4")
	form.Close()

	request, _ := http.NewRequest("POST", "http://localhost:8080/api/v1/remove-watermark", &body)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("X-API-Key", os.Getenv("IOPAINT_API_KEY"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		log.Fatalf("It failed: %s %v", answer, err)
	}
	if err := os.WriteFile("result.png", answer, 0o644); err != nil {
		log.Fatal(err)
	}
}
