package queue

import (
	"errors"
	"sync"
	"time"
)

var ErrFull = errors.New("the queue is full")

var defaults = Options{
	Capacity: 16,
	Retry: Retry{
		Times: 3,
		Pause: time.Second,
	},
}

// Job is something to be done.
type Job struct {
	Name  string
	Run   func() error
	Tries int
}

// Queue holds jobs until somebody takes them.
type Queue struct {
	mutex   sync.Mutex
	jobs    []Job
	options Options
}

func New(options *Options) *Queue {
	if options == nil {
		options = &defaults
	}
	return &Queue{options: *options}
}

func (q *Queue) Put(job Job) error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if len(q.jobs) >= q.options.Capacity {
		return ErrFull
	}
	q.jobs = append(q.jobs, job)
	return nil
}

func (q *Queue) Take() (Job, bool) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if len(q.jobs) == 0 {
		return Job{}, false
	}
	job := q.jobs[0]
	q.jobs = q.jobs[1:]
	return job, true
}

func (j *Job) Name() string {
	switch {
	case j.Tries == 0:
		return j.name
	case j.Tries > 9:
		return "failing"
	default:
		return j.name + " again"
	}
}
