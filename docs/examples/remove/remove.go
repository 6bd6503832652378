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
	picture, err := os.ReadFile("image.jpg")
	if err != nil {
		log.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile("image", "image.jpg")
	part.Write(picture)
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
