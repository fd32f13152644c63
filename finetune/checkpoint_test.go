package finetune

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sonotype/internal/artifact"
	"sonotype/nn"
	"sonotype/weights"
)

// outcome is what the processes of TestKilledTrainingResumes compare.
type outcome struct {
	Hash   string
	Result Result
}

// TestMain turns the test's binary into a training when it is told so, for TestKilledTrainingResumes.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SONOTYPE_TRAIN_IN"); dir != "" {
		j := killedJob(dir)
		res, err := Train(context.Background(), j)
		if err == nil {
			o := outcome{weights.Hash(res.Tensors), *res}
			o.Result.Tensors = nil
			err = artifact.WriteJSON(filepath.Join(dir, "outcome.json"), o)
		}
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killedJob has everything that a resumed training must take up again: moments, schedule, augmentation, a kept epoch
// that is not the last.
func killedJob(dir string) Job {
	j := smallJob()
	j.Config.Epochs, j.Config.Select, j.Config.Patience = 6, "accuracy", 0
	for i := range j.Valid { // so that the first epochs are the best
		j.Valid[i].Label = 1 - j.Valid[i].Label
	}
	j.Checkpoint = filepath.Join(dir, "ta.checkpoint")
	return j
}

// A training killed at any moment, again and again, ends with the bytes of one that was left in peace.
func TestKilledTrainingResumes(t *testing.T) {
	dir := t.TempDir()
	peace := killedJob(dir)
	peace.Checkpoint = ""
	start := time.Now()
	res := train(t, peace)
	whole := time.Since(start)
	done, kills := filepath.Join(dir, "outcome.json"), 0
	for try := range 40 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SONOTYPE_TRAIN_IN="+dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration((0.2 + 0.6*rand.Float64()) * float64(whole))
		if try == 39 {
			after = time.Minute
		}
		killer := time.AfterFunc(after, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		killer.Stop()
		if err != nil && stderr.Len() > 0 {
			t.Fatalf("%v: %s", err, &stderr)
		}
		if err == nil {
			break
		}
		kills++
	}
	var got outcome
	if err := artifact.ReadJSON(done, &got); err != nil {
		t.Fatal(err)
	}
	if got.Hash != weights.Hash(res.Tensors) {
		t.Error("other weights")
	}
	res.Tensors = nil
	if a, b := text(t, got.Result), text(t, *res); a != b {
		t.Errorf("%s\n%s", a, b)
	}
	if res.Kept == len(res.History) {
		t.Error("the last epoch is kept: nothing of the kept tensors is tested")
	}
	t.Logf("killed %d times; kept epoch %d of %d", kills, res.Kept, len(res.History))
}

func text(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Stopped after each epoch in turn, a training goes on to the same end; a finished one is not trained again.
func TestResumesAfterEveryEpoch(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"adamw":  func(*Config) {},
		"sgd":    func(c *Config) { c.Optimizer, c.Rate = "sgd", 0.01 },
		"frozen": func(c *Config) { c.Freeze, c.FreezeNorm, c.Patience = "all-but-last-block", true, 1 },
	} {
		j := killedJob(t.TempDir())
		j.Config.Epochs = 3
		change(&j.Config)
		peace := j
		peace.Checkpoint = ""
		want := train(t, peace)
		for range want.History {
			ctx, cancel := context.WithCancel(context.Background())
			j.Progress = func(p Progress) {
				if p.Done == p.Images {
					cancel()
				}
			}
			if _, err := Train(ctx, j); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			cancel()
		}
		steps := 0
		j.Progress = func(Progress) { steps++ }
		same(t, name, train(t, j), want)
		if steps > 0 {
			t.Errorf("%s: a finished training goes on for %d steps", name, steps)
		}
	}
}

// A checkpoint of another training is not used, and is replaced.
func TestForeignCheckpointIsNotUsed(t *testing.T) {
	j := killedJob(t.TempDir())
	j.Config.Epochs = 2
	train(t, j)
	for name, change := range map[string]func(*Job){
		"key":    func(j *Job) { j.Key = "other" },
		"seed":   func(j *Job) { j.Seed++ },
		"config": func(j *Job) { j.Config.Rate *= 2 },
		"data":   func(j *Job) { j.Train = j.Train[:len(j.Train)-2] },
		"start": func(j *Job) {
			t := j.Start["features.norm5.bias"]
			j.Start["features.norm5.bias"] = nn.Tensor{Shape: t.Shape, Data: append([]float32{1}, t.Data[1:]...)}
		},
	} {
		k := killedJob(filepath.Dir(j.Checkpoint))
		k.Config.Epochs = 2
		change(&k)
		first := 0
		k.Progress = func(p Progress) {
			if first == 0 {
				first = p.Epoch
			}
		}
		if train(t, k); first != 1 {
			t.Errorf("%s: begins with epoch %d", name, first)
		}
	}
}

// Damage anywhere in a checkpoint is an error that names the file, never a crash or another result.
func TestDamagedCheckpoint(t *testing.T) {
	j := killedJob(t.TempDir())
	j.Config.Epochs = 2
	want := train(t, j)
	whole, err := os.ReadFile(j.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		if err := os.WriteFile(j.Checkpoint, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what string) {
		if _, err := Train(context.Background(), j); err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), j.Checkpoint) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, n := range []int{0, 7, 100, len(whole) / 2, len(whole) - 1} {
		write(whole[:n])
		expect("cut short")
	}
	r := rand.New(rand.NewPCG(1, 2))
	head := bytes.IndexByte(whole, '}')
	for i := range 20 {
		b := bytes.Clone(whole)
		at := r.IntN(len(b))
		if i%2 == 0 {
			at = r.IntN(head)
		}
		b[at] ^= 1 << r.IntN(8)
		write(b)
		expect("a flipped bit")
	}
	write([]byte("patient_id,image\n"))
	expect("another kind of file")
	if err := weights.SaveSafetensors(j.Checkpoint, want.Tensors, nil); err != nil {
		t.Fatal(err)
	}
	expect("weights without a training's state")
	if err := os.Remove(j.Checkpoint); err != nil {
		t.Fatal(err)
	}
	same(t, "after the file is gone", train(t, j), want)
}

func TestUnwritableCheckpoint(t *testing.T) {
	j := smallJob()
	j.Checkpoint = filepath.Join(t.TempDir(), "file")
	if err := os.Mkdir(j.Checkpoint, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Train(context.Background(), j); err == nil || !strings.Contains(err.Error(), j.Checkpoint) {
		t.Errorf("%v", err)
	}
}
