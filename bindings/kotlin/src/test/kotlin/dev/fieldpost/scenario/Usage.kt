package dev.fieldpost.scenario

import java.io.File
import java.lang.management.ManagementFactory

/**
 * Threads and memory of this process: what is used of the heap, and what the process has beside the heap. The heap itself is only
 * room.
 */
internal class Usage {
    private val threads: Long
    private val kib: Long

    init {
        // What was forgotten is freed by a thread of the JVM after the first, and leaves the heap with the second.
        repeat(3) {
            System.gc()
            Thread.sleep(50)
        }
        val heap = ManagementFactory.getMemoryMXBean().heapMemoryUsage
        val status = File("/proc/self/status").takeIf { it.exists() }?.readLines().orEmpty().associate {
            it.substringBefore(':') to it.substringAfter(':').trim().substringBefore(' ')
        }
        threads = status["Threads"]?.toLong() ?: Thread.activeCount().toLong()
        val resident = status["VmRSS"]?.toLong()?.let { it - heap.committed / 1024 } ?: 0
        kib = resident + heap.used / 1024
    }

    fun grownSince(before: Usage) = mapOf("threads_grown" to threads - before.threads, "memory_grown_kib" to kib - before.kib)
}
