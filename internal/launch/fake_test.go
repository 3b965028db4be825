package launch

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeVariable makes this test program behave as a server: its value says how.
const fakeVariable = "FAKE_SERVER"

func TestMain(m *testing.M) {
	if behaviour := os.Getenv(fakeVariable); behaviour != "" {
		fake(behaviour)
		return
	}
	os.Exit(m.Run())
}

// fake stands in for Ollama and for llama-server: it takes the address as both
// do, answers their health requests and shows what it was given.
func fake(behaviour string) {
	fmt.Println("the fake is", behaviour)
	switch behaviour {
	case "broken":
		fmt.Println("cannot load the model")
		os.Exit(3)
	case "silent":
		time.Sleep(time.Hour)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM, os.Interrupt)
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = []string{fakeVariable + "=silent"}
		if err := child.Start(); err != nil {
			os.Exit(4)
		}
		fmt.Println("child", child.Process.Pid)
	}
	if err := serve(address()); err != nil {
		fmt.Println(err)
		os.Exit(5)
	}
}

func address() string {
	if i := slices.Index(os.Args, "--port"); i > 0 {
		return net.JoinHostPort(loopback, os.Args[i+1])
	}
	return os.Getenv("OLLAMA_HOST")
}

func serve(address string) error {
	begun := time.Now()
	health := func(w http.ResponseWriter, _ *http.Request) {
		if time.Since(begun) < 100*time.Millisecond {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	http.HandleFunc("/health", health)
	http.HandleFunc("/api/version", health)
	http.HandleFunc("/args", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Join(os.Args[1:], "\n")) })
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Join(os.Environ(), "\n")) })
	http.HandleFunc("/die", func(http.ResponseWriter, *http.Request) {
		fmt.Println("out of memory")
		os.Exit(6)
	})
	return http.ListenAndServe(address, nil)
}
