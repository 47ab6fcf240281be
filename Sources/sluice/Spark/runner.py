"""Does the tasks of a plan as one Spark job: spark-submit runner.py PLAN [quiet].

Written by 'sluice run --on', which then gathers the results. Tasks that are done already are left
out. Needs no Python packages on the executors; the plan's folder must be theirs, too.
"""

import json
import os
import re
import subprocess
import sys
import threading

from pyspark import SparkContext, SparkFiles, TaskContext


def do(plan, index, workers):
    """One attempt at a task. What may succeed when it is tried again is raised, so that Spark does;
    what cannot is returned, as is success."""
    child = subprocess.Popen(
        [SparkFiles.get("sluice"), "task", plan, "--index", str(index), "--workers", str(workers), "--json", "--with-parent", str(os.getpid())],
        # What is behind addresses is fetched by the same Python.
        env=dict({"SLUICE_PYTHON": sys.executable}, **os.environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, error = child.communicate()
    lines = output.decode(errors="replace").splitlines()
    try:
        result = json.loads(lines[-1])
    except (IndexError, ValueError):
        result = {"task": index, "status": "failed", "error": "exit code %d: %s" % (child.returncode, error.decode(errors="replace").strip()[-2000:])}
    if result["status"] != "done" and not result.get("permanent"):
        raise RuntimeError("sluice: task %d: %s" % (index, result["error"]))
    context = TaskContext.get()
    result["attempt"] = context.attemptNumber() if context else 0
    return result


def pending(plan):
    with open(os.path.join(plan, "plan.json"), encoding="utf-8") as file:
        count = json.loads(file.readline())["tasks"]
    return [index for index in range(count) if not os.path.exists(os.path.join(plan, "tasks", "%05d" % index, "result.json"))], count


def watch(context, count, before, ended):
    """Says how far the job is, from Spark's own counts."""
    tracker = context.statusTracker()
    last = None
    while not ended.wait(1.0):
        done = running = failed = 0
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info:
                done, running, failed = info.numCompletedTasks, info.numActiveTasks, info.numFailedTasks
        line = "sluice: %d of %d tasks are done, %d running" % (before + done, count, running)
        if failed:
            line += ", 1 attempt has failed" if failed == 1 else ", %d attempts have failed" % failed
        if line != last and (done or running):
            print(line, file=sys.stderr, flush=True)
            last = line


def reason(text, indexes):
    """Why Spark has given up, in one line, from what it says about that."""
    own = [line for line in text.splitlines() if "sluice: task" in line]
    if own:
        return own[-1].split("RuntimeError: ")[-1]
    # What comes before Java's stack, without the line that only names the call.
    lines = [line.strip() for line in text.partition("\n\tat ")[0].splitlines()]
    text = " ".join(line for line in lines if not line.startswith("An error occurred while calling"))
    text = re.sub(r"^:? *(org\.apache\.spark\.SparkException: )?", "", text)
    # The task did not come to run, or its machine was lost: Spark counts partitions.
    found = re.search(r"Task (\d+) in stage \S+ failed \d+ times, most recent failure: Lost task \S+ in stage \S+ \(TID \d+\) \((\S+) executor \S+\): (.*)", text)
    return "sluice: task %d: on %s: %s" % (indexes[int(found[1])], found[2], found[3]) if found else "sluice: Spark: " + text


def main():
    plan = sys.argv[1]
    is_quiet = "quiet" in sys.argv[2:]
    try:
        indexes, count = pending(plan)
    except FileNotFoundError:
        print("sluice: there is no plan in '%s'" % plan, file=sys.stderr)
        return 4
    if not indexes:
        return 0
    context = SparkContext(appName="sluice")
    context.setLogLevel("ERROR")
    workers = int(context.getConf().get("spark.task.cpus", "1"))
    ended = threading.Event()
    watcher = threading.Thread(target=watch, args=(context, count, count - len(indexes), ended), daemon=True)
    if not is_quiet:
        watcher.start()
    try:
        # One partition a task, so that each is tried again on its own.
        job = context.parallelize(indexes, len(indexes))
        results = job.mapPartitions(lambda part: [do(plan, index, workers) for index in part]).collect()
    except Exception as error:  # Spark has given up; it raises exceptions of its own and of py4j.
        print(reason(str(error), indexes), file=sys.stderr)
        return 4
    finally:
        ended.set()
        context.stop()
    failed = [result for result in results if result["status"] != "done"]
    for result in failed:
        print("sluice: task %d: %s" % (result["task"], result["error"]), file=sys.stderr)
    retried = sum(1 for result in results if result["attempt"] > 0)
    if retried:
        print("sluice: %s done at a later attempt" % ("1 task was" if retried == 1 else "%d tasks were" % retried), file=sys.stderr)
    return 3 if failed else 0


sys.exit(main())
